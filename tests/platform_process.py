"""The whole platform in a process of its own, as `make run` starts it: for tests that look at it from outside."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
from psycopg.rows import dict_row

from switchboard.launcher.ports import free_port
from tests.knowledge.embedder_process import CACHE

ROOT = Path(__file__).resolve().parents[1]
UP = "Ctrl-C stops everything."
# Words of the command line that tell each part of the platform from the others.
PARTS = {
    "web": ("uvicorn",),
    "worker": ("celery",),
    "embedder": ("knowledge.embedder",),
    "speech": ("voice_worker.speech_server",),
    "redis": ("redis", "server"),
    "postgres": ("postgres", "-D"),
}


def bare_environment(data_dir: Path) -> dict[str, str]:
    """The environment of a machine on which nothing was configured."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}",
        "SWITCHBOARD_ENV_FILE": str(data_dir / "no.env"),
        "DATA_DIR": str(data_dir),
    }


class Terminal:
    """A launcher in a process of its own and all it has written so far.

    Args:
        seed: whether it makes the demo companies.
    """

    def __init__(self, environment: dict[str, str], *, seed: bool = False) -> None:
        self.port = free_port()
        words = [sys.executable, "-m", "switchboard.launcher", "--port", str(self.port)]
        self.process = subprocess.Popen(
            words if seed else [*words, "--no-seed"],
            env=environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.text = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.text += line

    def wait_for(self, text: str, seconds: float = 180) -> None:
        self.wait(lambda: text in self.text, seconds)

    def wait(self, reached: Callable[[], bool], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not reached():
            assert self.process.poll() is None, self.text
            assert time.monotonic() < deadline, self.text
            time.sleep(0.05)

    def is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/readyz", headers={"Host": "localhost"})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def child(self, *words: str) -> psutil.Process:
        """The launcher's own child whose command line holds the words."""
        for child in psutil.Process(self.process.pid).children():
            if all(word in " ".join(child.cmdline()) for word in words):
                return child
        raise AssertionError(f"no child {words}: {self.text}")

    def strike(self, part: str, number: signal.Signals = signal.SIGKILL) -> Callable[[], None]:
        """Send a signal to a part of the platform. What is returned waits until that part is back."""
        news = f"{part} is back"
        before = self.text.count(news)
        os.kill(self.child(*PARTS[part]).pid, number)

        def wait_until_back() -> None:
            self.wait(lambda: self.text.count(news) > before, 120)
            self.wait(self.is_ready, 120)

        return wait_until_back

    def finish(self) -> int:
        code = self.process.wait(timeout=60)
        self._reader.join(timeout=5)
        return code

    def kill(self) -> None:
        """End it without ceremony, if it still runs."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.finish()


def still_there(family: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those alive after so many seconds; a zombie that a container's first process doesn't collect is dead enough."""

    def alive(process: psutil.Process) -> bool:
        try:
            return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False

    deadline = time.monotonic() + seconds
    while (left := [process for process in family if alive(process)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


@dataclass(frozen=True)
class Answer:
    """A response of the platform's."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Company:
    """A demo company, as `demo.json` describes it, and a program that calls its API with its key."""

    def __init__(self, port: int, entry: dict[str, str]) -> None:
        self.port = port
        self.name, self.slug, self.host = entry["name"], entry["slug"], entry["host"]
        self.staff_user, self.staff_password = entry["staff_user"], entry["staff_password"]
        self.api_key, self.agent_id = entry["api_key"], entry["agent_id"]
        self.url = f"http://{self.host}:{port}"

    def connect(self, timeout: float = 30) -> http.client.HTTPConnection:
        """A connection to the platform; `timeout` in seconds."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def headers(self, **more: str) -> dict[str, str]:
        """What every request says; `Last_Event_ID="7"` becomes `Last-Event-ID: 7`."""
        named = {name.replace("_", "-"): value for name, value in more.items()}
        return {"Host": f"{self.host}:{self.port}", "Authorization": f"Bearer {self.api_key}", **named}

    def call(
        self, method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None, timeout: float = 30
    ) -> Answer:
        """One request; a body that isn't bytes is sent as JSON."""
        if body is not None and not isinstance(body, bytes):
            body, headers = json.dumps(body).encode(), {"Content-Type": "application/json", **(headers or {})}
        with contextlib.closing(self.connect(timeout)) as connection:
            connection.request(method, path, body=body, headers={**self.headers(), **(headers or {})})
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())

    def made(self, path: str, body: Any) -> Any:
        """What a POST made, or made of something that was there."""
        answer = self.call("POST", path, body)
        assert answer.status in (200, 201, 202), (path, answer.status, answer.body)
        return answer.json

    def agent_with_model(
        self, model: str, url: str, *, provider: str = "openai_compatible", runtime: dict[str, Any] | None = None
    ) -> str:
        """The id of a new agent that a model at this address answers for.

        Args:
            provider: whose protocol and whose prices the model has.
            runtime: more of its runtime config, such as what it hears with.
        """
        name = re.sub(r"[^a-z0-9-]", "-", f"{model}-{uuid.uuid4().hex[:6]}")
        endpoint = self.made(
            "/api/v1/endpoints", {"name": name, "provider": provider, "base_url": url, "api_key": "any"}
        )
        llm = {"endpoint": endpoint["name"], "model": model}
        contents = {"agents": {}, "prompts": {"template": "Count."}, "runtime-configs": {"llm": llm, **(runtime or {})}}
        made = {}
        for registry, content in contents.items():
            made[registry] = self.made(f"/api/v1/{registry}", {"name": name, "slug": name, "content": content})
            self.made(f"/api/v1/{registry}/{made[registry]['id']}/publish", {})
        agent = str(made["agents"]["id"])
        parts = {"prompt": f"{name}@latest", "runtime_config": f"{name}@latest"}
        release = self.made(f"/api/v1/agents/{agent}/releases", parts)
        self.made(f"/api/v1/releases/{release['id']}/go-live", {})
        return agent

    def upload(self, content: bytes, *, filename: str, collection: str) -> dict[str, Any]:
        """The document made of a file."""
        boundary = "a-line-that-no-document-holds"
        parts = f'--{boundary}\r\nContent-Disposition: form-data; name="collection"\r\n\r\n{collection}\r\n'
        parts += f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'
        parts += "Content-Type: application/octet-stream\r\n\r\n"
        body = parts.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        answer = self.call("POST", "/api/v1/documents", body, headers=headers)
        assert answer.status in (201, 202), (answer.status, answer.body)
        document: dict[str, Any] = answer.json
        return document


@dataclass(frozen=True)
class Platform:
    """A running platform with its demo companies."""

    terminal: Terminal
    data_dir: Path
    companies: dict[str, Company]

    @property
    def port(self) -> int:
        return self.terminal.port

    def rows(self, company: Company, query: str, *values: Any) -> list[dict[str, Any]]:
        """What a query finds in the company's schema (and in the public one behind it)."""
        services = json.loads((self.data_dir / "services.json").read_text())
        with psycopg.connect(services["database_url"], autocommit=True, connect_timeout=10) as connection:
            found = connection.execute("SELECT schema_name FROM tenants_tenant WHERE slug = %s", [company.slug])
            (schema,) = found.fetchone() or ("",)
            connection.execute("SELECT set_config('search_path', %s, false)", [f'"{schema}", public'])
            with connection.cursor(row_factory=dict_row) as cursor:
                return cursor.execute(query.encode(), values).fetchall()


@contextlib.contextmanager
def running_platform(data_dir: Path, **environment: str) -> Iterator[Platform]:
    """A seeded platform for the length of a block; whether the folder is new or has been used before.

    Args:
        environment: settings beside the data folder.
    """
    _lend_graph(data_dir)
    terminal = Terminal({**bare_environment(data_dir), **environment}, seed=True)
    try:
        terminal.wait_for(UP, 240)
        demo = json.loads((data_dir / "demo.json").read_text())
        companies = {entry["slug"]: Company(terminal.port, entry) for entry in demo["companies"]}
        yield Platform(terminal, data_dir, companies)
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.finish() == 0, terminal.text
    finally:
        terminal.kill()


def _lend_graph(data_dir: Path) -> None:
    """Spare the embedder the making of its graph where an earlier run has left one."""
    folder = data_dir / "embedder"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for graph in CACHE.glob("*.onnx"):
        if not (folder / graph.name).exists():
            (folder / graph.name).symlink_to(graph)
