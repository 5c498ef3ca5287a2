"""A throwaway platform: embedded servers in a folder of its own, and the programs started as `make run` starts them."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.measure import on_core
from switchboard.launcher.child import ChildCommand, spawn, stop
from switchboard.launcher.ports import free_port
from switchboard.launcher.postgres import EmbeddedPostgres
from switchboard.launcher.redis import EmbeddedRedis
from tests.knowledge.embedder_process import CACHE

ROOT = Path(__file__).resolve().parents[1]
SERVER_CORE, LOAD_CORE = 0, 1
_START_SECONDS = 120.0


@dataclass
class Program:
    """A running process whose output goes to a file."""

    name: str
    process: subprocess.Popen[bytes]
    command: ChildCommand
    log: Path
    port: int = 0

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def stop(self) -> None:
        """End it, and what it may have left in its group."""
        stop(self.process, self.command, deadline=15)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


class Installation:
    """Servers of its own, started in `__enter__`, everything stopped and removed in `__exit__`.

    Django is set up in this process too, so that domain functions can be called to prepare rows.

    Args:
        environment: further variables for the platform's processes, such as EGRESS_ALLOW.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="switchboard-bench-"))
        self.folder.chmod(0o755)
        self._postgres = EmbeddedPostgres(self.folder)
        self._redis = EmbeddedRedis(self.folder)
        self._further = dict(environment or {})
        self._programs: list[Program] = []
        self.database_url = self.redis_url = ""

    def __enter__(self) -> Installation:
        # A benchmark that is told to end cleans up, too.
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
        try:
            with on_core(LOAD_CORE):
                self.database_url = self._postgres.start()
                self.redis_url = self._redis.start()
            os.environ.update(self.environment)
            import django

            django.setup()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        for program in reversed(self._programs):
            program.stop()
        self._programs.clear()
        if "django" in sys.modules:
            from django.conf import settings
            from django.db import connections

            if settings.configured:
                for connection in connections.all(initialized_only=True):
                    connection.close_pool()  # type: ignore[attr-defined]
        self._redis.stop()
        self._postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def environment(self) -> dict[str, str]:
        """What leads the platform's processes to these servers, and to nothing of the user's own."""
        return {
            "SWITCHBOARD_ENV_FILE": os.devnull,
            "DJANGO_SETTINGS_MODULE": "switchboard.settings",
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "DATA_DIR": str(self.folder),
            "LOG_LEVEL": "WARNING",
            **self._further,
        }

    def migrate(self) -> None:
        """All migrations, as at the first start."""
        from tenants.context import use_public
        from tenants.domain.migrate import migrate_platform

        with use_public():
            migrate_platform(report=lambda line: None)

    def web(self, *, wrapper: Sequence[str] = (), **variables: str) -> Program:
        """The web server with the flags it is shipped with, on a core of its own.

        Args:
            wrapper: words put between `python` and `-m uvicorn …`, such as a profiler.
            variables: further environment variables.
        """
        program = start_web(self.environment | variables, self.folder, wrapper=wrapper)
        self._programs.append(program)
        return program

    def worker(self, web: Program) -> Program:
        """The Celery worker, once it does its work."""
        program = start_worker(self.environment, self.folder, web)
        self._programs.append(program)
        return program

    def embedder(self) -> str:
        """The embedder, on the load's core; returns its base URL. Start it before what needs it."""
        program, url = start_embedder(self.environment, self.folder)
        self._programs.append(program)
        self._further["EMBEDDINGS_URL"] = url
        return url

    def program(self, name: str, argv: Sequence[str], *, core: int, port: int = 0, **variables: str) -> Program:
        """Any other process, stopped with the rest."""
        with on_core(core):
            started = _launch(
                name, ChildCommand(argv=argv, env=_env(self.environment | variables), cwd=ROOT), self.folder, port
            )
        self._programs.append(started)
        return started


def start_web(
    environment: Mapping[str, str], folder: Path, *, wrapper: Sequence[str] = (), core: int | None = SERVER_CORE
) -> Program:
    """A web server for the platform that `environment` leads to, once it answers.

    Args:
        folder: for its log.
        core: None for any.
    """
    from switchboard.config import load_config
    from switchboard.launcher import services

    port = free_port()
    config = load_config().model_copy(
        update={"port": port, "host": "127.0.0.1", "data_dir": folder, "web_processes": 1}
    )
    child = services.web(_env(environment) | {"PORT": str(port)}, config)
    command = child.command()
    if wrapper:
        command = ChildCommand(argv=[command.argv[0], *wrapper, *command.argv[1:]], env=command.env, cwd=command.cwd)
    with on_core(core) if core is not None else contextlib.nullcontext():
        program = _launch("web", command, folder, port)
    assert child.ready is not None
    _wait(program, child.ready)
    return program


def start_worker(environment: Mapping[str, str], folder: Path, web: Program) -> Program:
    """A Celery worker, once the web server says that it answers."""
    from switchboard.config import load_config
    from switchboard.launcher import services

    config = load_config().model_copy(update={"port": web.port, "host": "127.0.0.1", "data_dir": folder})
    child = services.worker(_env(environment), config)
    with on_core(LOAD_CORE):
        program = _launch("worker", child.command(), folder)
    assert child.ready is not None
    _wait(program, child.ready)
    return program


def start_embedder(environment: Mapping[str, str], folder: Path) -> tuple[Program, str]:
    """The embedder and its base URL; its graph is kept beside the virtualenv between runs."""
    from switchboard.launcher import services

    port = free_port()
    child = services.embedder(_env(environment), port, CACHE)
    with on_core(LOAD_CORE):
        program = _launch("embedder", child.command(), folder, port)
    assert child.ready is not None
    _wait(program, child.ready)
    return program, f"http://127.0.0.1:{port}/v1"


def _env(further: Mapping[str, str]) -> dict[str, str]:
    paths = os.pathsep.join([str(ROOT / "platform"), str(ROOT)])
    return {**os.environ, "PYTHONPATH": paths, "PYTHONUNBUFFERED": "1", **further}


def _launch(name: str, command: ChildCommand, folder: Path, port: int = 0) -> Program:
    log = folder / f"{name}.log"
    with log.open("ab") as output:
        return Program(name, spawn(command, stdout=output), command, log, port)


def _wait(program: Program, ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    try:
        while not ready():
            if program.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{program.name} didn't start:\n{program.log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.05)
    except BaseException:
        program.stop()
        raise


@contextlib.contextmanager
def stopped_at_the_end(program: Program) -> Iterator[Program]:
    """A program for the length of a block."""
    try:
        yield program
    finally:
        program.stop()
