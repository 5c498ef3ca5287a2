"""`make run`: the whole platform in one foreground process tree."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from switchboard.config import Config, ConfigurationInvalid, load_config
from switchboard.launcher import services
from switchboard.launcher.console import Console, box
from switchboard.launcher.embedded import EmbeddedServer
from switchboard.launcher.errors import LaunchError
from switchboard.launcher.lock import DataLock
from switchboard.launcher.ports import stable_port
from switchboard.launcher.postgres import EmbeddedPostgres
from switchboard.launcher.preflight import check_database, check_disk, check_port, check_redis, free_bytes
from switchboard.launcher.processes import Child, StopRequested, Supervisor
from switchboard.launcher.redis import EmbeddedRedis
from switchboard.launcher.services_file import ServicesFile

_MIGRATION_LIMIT = 3600.0  # seconds; thousands of tenants take a while
_START_LIMIT = 120.0  # seconds; the embedder builds its model on the first start


def main(
    arguments: Sequence[str] | None = None,
    *,
    console: Console | None = None,
    read_free_bytes: Callable[[Path], int] = free_bytes,
) -> int:
    """Run the platform until Ctrl-C; returns the exit code (0 stopped, 1 failed, 2 faulty configuration)."""
    options = _parser().parse_args(arguments)
    console = console or Console(names=services.NAMES)
    if options.port is not None:
        os.environ["PORT"] = str(options.port)
    if options.host is not None:
        os.environ["HOST"] = options.host
    supervisor = Supervisor(console)
    supervisor.install_signal_handlers()
    try:
        return _run(options, console, supervisor, read_free_bytes)
    except ConfigurationInvalid as error:
        console.say(str(error))
        return 2
    except LaunchError as error:
        console.say(f"\n{error}")
        return error.exit_code
    except StopRequested:
        return 0


def _run(
    options: argparse.Namespace, console: Console, supervisor: Supervisor, read_free_bytes: Callable[[Path], int]
) -> int:
    config = _read_config()
    with ExitStack() as at_the_end:
        at_the_end.enter_context(DataLock(config.data_dir))
        file = ServicesFile(config.data_dir)
        file.remove()  # what a killed launcher left must not pass for the user's own choice
        config = _read_config()
        supervisor.data_dir = config.data_dir
        launch = Launch(config, console, supervisor, file, seed=not options.no_seed)
        at_the_end.callback(file.remove)
        at_the_end.callback(_stop, console, supervisor)
        launch.start(read_free_bytes)
        supervisor.run()
    return 0


def _stop(console: Console, supervisor: Supervisor) -> None:
    if supervisor.children:
        console.say("\nStopping; press Ctrl-C again to stop at once.")
        supervisor.stop_all()
        console.say("All stopped; the data is kept.")


class Launch:
    """One start of the platform, step by step."""

    def __init__(
        self, config: Config, console: Console, supervisor: Supervisor, file: ServicesFile, *, seed: bool = True
    ) -> None:
        self._config = config
        self._console = console
        self._supervisor = supervisor
        self._file = file
        self._seed = seed
        self._addresses: dict[str, str | int] = {"host": config.host, "port": config.port}

    def start(self, read_free_bytes: Callable[[Path], int]) -> None:
        """Bring everything up and print the addresses.

        Raises:
            LaunchError: something can't be started; the text says what to do.
            StopRequested: Ctrl-C.
        """
        self._console.steps_expected = 8 if self._seed else 7
        with self._console.step("Configuration") as step:
            free = check_disk(self._config.data_dir, read_free_bytes)
            check_port(self._config.host, self._config.port)
            step.result = f"checked; data in {self._config.data_dir}, {free / 1e9:.0f} GB free"
        self._start_database()
        self._start_redis()
        # They load their models on their own while the migrations run, which leave a processor free.
        embedder = self._begin_embedder()
        speech = self._begin_speech()
        (self._config.data_dir / "static").mkdir(
            exist_ok=True
        )  # where collectstatic would write; its absence is warned of
        self._file.write(self._addresses)
        env = services.environment(self._config)
        with self._console.step("Database schema") as step:
            migrate = services.manage("migrate", ["migrate_platform"], env)
            self._supervisor.start(migrate)
            self._supervisor.wait_done(migrate, limit=_MIGRATION_LIMIT)
            step.result = "up to date"
        with self._console.step("Web and worker") as step:
            worker, web = services.worker(env, self._config), services.web(env, self._config)
            self._supervisor.start(worker)
            self._supervisor.start(web)
            self._supervisor.wait_ready(web, worker, limit=_START_LIMIT)
            step.result = f"answering on {self._config.host}:{self._config.port}"
        with self._console.step("Embeddings") as step:
            if embedder:
                self._supervisor.wait_ready(embedder, limit=_START_LIMIT)
            step.result = f"ready at {self._addresses.get('embeddings_url', self._config.embeddings_url)}"
        if self._config.livekit_url:
            # Not waited for: the rest is of use without LiveKit, and it tries again until that answers.
            self._supervisor.start(services.voice(env, self._config))
        if self._seed:
            with self._console.step("Demo companies") as step:
                seed = services.manage("seed", ["seed_demo"], env)
                self._supervisor.start(seed)
                self._supervisor.wait_done(seed, limit=600)
                step.result = "ready"
        with self._console.step("Speech") as step:
            if speech:
                self._supervisor.wait_ready(speech, limit=_START_LIMIT)
            step.result = f"ready at {self._addresses.get('speech_url', self._config.speech_url)}"
        self._console.say(welcome(self._config))

    def _start_database(self) -> None:
        with self._console.step("PostgreSQL") as step:
            if self._config.database_url:
                step.result = check_database(self._config.database_url)
                return
            server = EmbeddedPostgres(self._config.data_dir, say=self._console.say)
            step.result = self._start_embedded(server, services.postgres(server))
            self._addresses["database_url"] = server.url

    def _start_redis(self) -> None:
        with self._console.step("Redis") as step:
            if self._config.redis_url:
                step.result = check_redis(self._config.redis_url)
                return
            server = EmbeddedRedis(self._config.data_dir)
            step.result = self._start_embedded(server, services.redis(server))
            self._addresses["redis_url"] = server.url

    def _start_embedded(self, server: EmbeddedServer, child: Child) -> str:
        self._supervisor.start(child)
        self._supervisor.wait_ready(child, limit=60)
        server.set_up()
        return f"ready on 127.0.0.1:{server.port}"

    def _begin_embedder(self) -> Child | None:
        if self._config.embeddings_url:
            return None
        folder = self._config.data_dir / "embedder"
        folder.mkdir(mode=0o700, exist_ok=True)
        port = stable_port(folder / "port")
        self._addresses["embeddings_url"] = f"http://127.0.0.1:{port}/v1"
        child = services.embedder(services.environment(self._config), port, folder)
        self._supervisor.start(child)
        return child

    def _begin_speech(self) -> Child | None:
        if self._config.speech_url:
            return None
        folder = self._config.data_dir / "speech"
        folder.mkdir(mode=0o700, exist_ok=True)
        port = stable_port(folder / "port")
        self._addresses["speech_url"] = f"http://127.0.0.1:{port}/v1"
        child = services.speech(services.environment(self._config), port, self._config)
        self._supervisor.start(child)
        return child


def welcome(config: Config) -> str:
    """The frame with addresses and passwords, as far as `demo.json` tells them."""
    try:
        demo = json.loads((config.data_dir / "demo.json").read_text())
    except (OSError, ValueError):
        demo = {}
    lines = [f"Switchboard is running: http://{config.platform_host}:{config.port}/"]
    if operator := demo.get("operator"):
        lines += ["", "Operators", f"  {operator['url']}", f"  {operator['user']} / {operator['password']}"]
    for company in demo.get("companies", []):
        lines += [
            "",
            company["name"],
            f"  {company['url']}",
            f"  {company['staff_user']} / {company['staff_password']}",
        ]
    if demo:
        lines += ["", f"API keys and all of the above: {config.data_dir / 'demo.json'}"]
    return box([*lines, "", "Ctrl-C stops everything."])


def _read_config() -> Config:
    load_config.cache_clear()
    config = load_config()
    return config.model_copy(update={"data_dir": config.data_dir.expanduser().resolve()})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="manage.py run", description="Run the whole platform on this machine.")
    parser.add_argument("--port", type=int, help="port of the web server (PORT)")
    parser.add_argument("--host", help="address of the web server (HOST)")
    parser.add_argument("--no-seed", action="store_true", help="don't make the two demo companies")
    return parser
