"""An event with its number, encoded once for whoever reads it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

DONE = "done"
# Told of a conversation, in no turn: it goes on in a meeting, and has come back from it.
UPGRADED = "upgraded"
MEETING_ENDED = "meeting_ended"


@dataclass(frozen=True, slots=True)
class Record:
    """A numbered event.

    Args:
        number: place within the conversation, from 1, without gaps.
        kind: the event's name.
        body: its data as JSON text.
    """

    number: int
    kind: str
    body: str

    @property
    def data(self) -> dict[str, Any]:
        """The event's data."""
        value: dict[str, Any] = json.loads(self.body)
        return value

    def as_sse(self) -> str:
        """The event as a server-sent event (WHATWG HTML, "Server-sent events"). JSON has no line breaks in it."""
        return f"id: {self.number}\nevent: {self.kind}\ndata: {self.body}\n\n"

    def as_socket_text(self) -> str:
        """The event as a websocket message."""
        return f'{{"id":{self.number},"event":"{self.kind}","data":{self.body}}}'

    def as_json(self) -> list[Any]:
        """The event as a turn keeps it."""
        return [self.number, self.kind, self.body]


def encode(number: int, kind: str, data: dict[str, Any]) -> Record:
    """Number an event."""
    return Record(number, kind, json.dumps(data, ensure_ascii=False, separators=(",", ":")))


def from_json(kept: list[Any]) -> Record:
    """An event that a turn kept."""
    return Record(int(kept[0]), str(kept[1]), str(kept[2]))
