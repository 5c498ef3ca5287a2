"""Two web processes over the tests' database: what one of them is told, the other must learn."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.installation import start_web, stopped_at_the_end


@dataclass(frozen=True)
class Server:
    """A web process."""

    port: int

    def call(self, host: str, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """A request on a connection of its own: the status and the document."""
        sent = {"Host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(method, path, body=body, headers=sent)
            response = connection.getresponse()
            text = response.read()
            return response.status, json.loads(text) if text else None


@contextlib.contextmanager
def two_servers() -> Iterator[tuple[Server, Server]]:
    """For the length of a block. The test needs `live_tenants`."""
    folder = Path(os.environ["DATA_DIR"])
    environment = {"LOG_LEVEL": "WARNING"}
    with (
        stopped_at_the_end(start_web(environment, folder, core=None)) as one,
        stopped_at_the_end(start_web(environment, folder, core=None)) as other,
    ):
        yield Server(one.port), Server(other.port)
