"""A program that follows a conversation over server-sent events, and comes back when the connection breaks."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.platform_process import Company


@dataclass(frozen=True)
class Event:
    """One event as it came."""

    number: int
    kind: str
    data: dict[str, Any]


def events_of(response: http.client.HTTPResponse) -> Iterator[Event]:
    """The events of a response, while they come (WHATWG HTML, "Server-sent events")."""
    fields: dict[str, str] = {}
    while line := response.readline().decode():
        if line.strip():
            name, _, value = line.rstrip("\n").partition(": ")
            fields[name] = value
        elif "data" in fields:
            yield Event(int(fields["id"]), fields["event"], json.loads(fields["data"]))
            fields = {}


@dataclass
class Follower:
    """Follows a conversation in a thread, as a browser does: whenever the stream breaks it asks again, after the last
    event it has, by `Last-Event-ID`.

    Args:
        events: all that was received, in the order in which it came; nothing is sorted or thrown away.
        connections: how often it connected.
    """

    company: Company
    conversation: str
    events: list[Event] = field(default_factory=list)
    connections: int = 0
    _stopped: bool = False

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        while not self._stopped:
            last = self.events[-1].number if self.events else 0
            connection = self.company.connect(timeout=20)
            try:
                headers = self.company.headers(Accept="text/event-stream", Last_Event_ID=str(last))
                connection.request("GET", f"/api/v1/conversations/{self.conversation}/events", headers=headers)
                response = connection.getresponse()
                if response.status == 200:
                    self.connections += 1
                    for event in events_of(response):
                        self.events.append(event)
                        if self._stopped:
                            return
            except (OSError, http.client.HTTPException):
                pass
            finally:
                connection.close()
            time.sleep(0.2)

    def of(self, turn: str) -> list[Event]:
        """What was received of one turn."""
        return [event for event in list(self.events) if event.data.get("turn") == turn]

    def wait_for(self, kind: str, turn: str, seconds: float = 90) -> Event:
        """The first event of a kind in a turn."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for event in self.of(turn):
                if event.kind == kind:
                    return event
            time.sleep(0.02)
        raise AssertionError(f"no {kind} within {seconds} s: {self.events}")

    def stop(self) -> None:
        """Leave after the next event or the read's time limit; the thread is a daemon and not waited for."""
        self._stopped = True
