"""The processes of the platform: how each is started, when it is ready, and which of its lines are only noise."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from switchboard.config import ROOT, Config
from switchboard.launcher.child import ChildCommand
from switchboard.launcher.postgres import EmbeddedPostgres
from switchboard.launcher.processes import Child
from switchboard.launcher.readiness import http_ready
from switchboard.launcher.redis import EmbeddedRedis

NAMES = ("postgres", "redis", "migrate", "embedder", "speech", "worker", "web", "voice", "seed")

# PostgreSQL's LOG lines tell of its normal life; its FATAL ones are connections cut by a stop or made too early.
_POSTGRES_NOISE = re.compile(
    r" (LOG|DETAIL|HINT|STATEMENT):  |FATAL:  (the database system is|terminating (connection|background))|ERROR:  |"
    r"WARNING:  terminating connection|^\t"
)
_POSTGRES_NEWS = re.compile(r"No space left on device|PANIC")
# At level `warning` Redis still introduces itself, and asks for a kernel setting that only matters for big snapshots.
_REDIS_NOISE = re.compile(
    r"Redis is starting|Redis version=|Configuration loaded|Server initialized|overcommit|Transparent Huge|"
    r"signal-handler|User requested shutdown|ready to exit|TCP backlog"
)
# The launcher's own questions, asked until the answer is yes.
_WEB_NOISE = re.compile(r"Service Unavailable: /readyz")
# Celery says goodbye, and warns root of running as root, which the containers and a hurried first look do knowingly.
_WORKER_NOISE = re.compile(
    r"^worker: (Warm|Cold) shutdown|SecurityWarning: You're running the worker with superuser|"
    r"^absolutely not recommended|^Please specify a different user|^User information: uid=|"
    r"_warn_or_raise_security_error"
)
# Bytes. A message to an agent has 32 KB at most, and JSON may spell each of its bytes as six.
_LARGEST_FRAME = 256 * 1024


def environment(config: Config) -> dict[str, str]:
    """What the Python children find in their environment: this one's, with the choices made on the command line."""
    paths = [str(ROOT / "platform"), str(ROOT), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "PYTHONUNBUFFERED": "1",
        "DJANGO_SETTINGS_MODULE": "switchboard.settings",
        "DATA_DIR": str(config.data_dir),
        "HOST": config.host,
        "PORT": str(config.port),
    }


def postgres(server: EmbeddedPostgres) -> Child:
    """The embedded database server."""
    noise = re.compile(rf"^(?!.*(?:{_POSTGRES_NEWS.pattern})).*(?:{_POSTGRES_NOISE.pattern})")
    return Child(
        name="postgres", command=server.prepare, ready=server.answers, hush=noise, explain=server.explain, grace=20
    )


def redis(server: EmbeddedRedis) -> Child:
    """The embedded Redis."""
    return Child(
        name="redis", command=server.prepare, ready=server.answers, hush=_REDIS_NOISE, explain=server.explain, grace=20
    )


def embedder(env: Mapping[str, str], port: int, cache: Path) -> Child:
    """The process that turns text into vectors for all others."""
    command = _python(
        ["-m", "knowledge.embedder", "--host", "127.0.0.1", "--port", str(port), "--cache", str(cache)], env
    )
    return Child(name="embedder", command=command, ready=lambda: http_ready(port, "/healthz"))


def speech(env: Mapping[str, str], port: int, config: Config) -> Child:
    """The process that hears and speaks where no provider is configured."""
    words = ["-m", "voice_worker.speech_server", "--host", "127.0.0.1", "--port", str(port)]
    command = _python([*words, "--streams", str(config.speech_streams)], env)
    return Child(name="speech", command=command, ready=lambda: http_ready(port, "/healthz"), grace=8)


def voice(env: Mapping[str, str], config: Config) -> Child:
    """The voice worker, which sends agents into LiveKit's rooms. It lets calls end, for as long as it is allowed."""
    command = _python([str(ROOT / "manage.py"), "run_voice_worker"], env)
    return Child(name="voice", command=command, ready=lambda: http_ready(config.voice_health_port, "/readyz"), grace=20)


def web(env: Mapping[str, str], config: Config) -> Child:
    """The web server: HTTP, event streams and websockets."""
    words = ["-m", "uvicorn", "switchboard.asgi:application", "--host", config.host, "--port", str(config.port)]
    words += ["--workers", str(config.web_processes), "--loop", "uvloop", "--http", "httptools"]
    words += ["--ws", "websockets-sansio", "--ws-max-size", str(_LARGEST_FRAME), "--lifespan", "on"]
    words += ["--no-access-log", "--log-level", "warning", "--timeout-graceful-shutdown", "4"]
    words += ["--no-proxy-headers"] if not config.trusted_proxies else ["--proxy-headers"]
    return Child(
        name="web",
        command=_python(words, env),
        hush=_WEB_NOISE,
        ready=lambda: http_ready(config.port, "/healthz", host=config.host, hostname=config.platform_host),
        grace=12,
    )


def worker(env: Mapping[str, str], config: Config) -> Child:
    """The Celery worker."""
    words = ["-m", "celery", "--quiet", "-A", "switchboard", "worker", "--pool", "threads", "--loglevel", "WARNING"]
    words += ["--concurrency", str(config.worker_threads), "--without-gossip", "--without-mingle"]
    # SIGTERM waits for tasks under way, SIGQUIT puts them back into the queue. When the launcher is killed the broker
    # is gone as well: a warm shutdown could wait for ever, and leases cover what was under way.
    return Child(
        name="worker",
        command=_python(words, env, stop_signals=(signal.SIGTERM, signal.SIGQUIT), death_signal=signal.SIGKILL),
        hush=_WORKER_NOISE,
        # The web server's /readyz asks the worker through the broker, which is the way its tasks come.
        ready=lambda: http_ready(config.port, "/readyz", host=config.host, hostname=config.platform_host),
        grace=20,
    )


def manage(name: str, arguments: Sequence[str], env: Mapping[str, str]) -> Child:
    """A management command that is run once."""
    return Child(name=name, command=_python([str(ROOT / "manage.py"), *arguments], env), one_shot=True)


def _python(
    words: Sequence[str],
    env: Mapping[str, str],
    *,
    stop_signals: Sequence[signal.Signals] = (signal.SIGTERM,),
    death_signal: signal.Signals = signal.SIGTERM,
) -> Callable[[], ChildCommand]:
    argv = [sys.executable, *words]
    return lambda: ChildCommand(argv=argv, env=env, cwd=ROOT, stop_signals=stop_signals, death_signal=death_signal)
