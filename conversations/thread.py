"""A conversation as it is read afterwards: by turn, with sources that open now and what each turn used."""

from __future__ import annotations

import re
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from billing.models import UsageEvent
from conversations.models import Message, Turn
from knowledge.links import page_url

_MARK: Final = re.compile(r"\[(\d{1,3})\]")


@dataclass(frozen=True, slots=True)
class Source:
    """A citation with a link made now: the one that was sent has expired by the time a thread is read."""

    number: int
    title: str
    page: int
    quote: str
    url: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a message: text, or the mark of a source."""

    text: str
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """A message."""

    row: Message
    pieces: list[Piece]
    sources: list[Source]


@dataclass(slots=True)
class TurnRead:
    """A turn with what was said in it and what it used."""

    row: Turn
    said: list[Said] = field(default_factory=list)
    input_tokens: int = 0
    output_tokens: int = 0
    models: list[str] = field(default_factory=list)
    is_estimated: bool = False

    @property
    def seconds(self) -> float | None:
        """From its beginning to its end."""
        if self.row.started_at is None or self.row.finished_at is None:
            return None
        return (self.row.finished_at - self.row.started_at).total_seconds()


def read_thread(conversation_id: uuid.UUID) -> list[TurnRead]:
    """A conversation's turns, oldest first. Three queries."""
    turns = {
        row.pk: TurnRead(row)
        for row in Turn.objects.filter(conversation_id=conversation_id).defer("events").order_by("id")
    }
    for message in Message.objects.filter(conversation_id=conversation_id).order_by("id"):
        sources = list(_sources(message.citations))
        said = Said(message, list(_pieces(message.text, sources)), sources)
        turns[message.turn_id].said.append(said)
    used: dict[uuid.UUID, list[UsageEvent]] = defaultdict(list)
    for event in UsageEvent.objects.filter(turn_id__in=list(turns)):
        if event.turn_id is not None:
            used[event.turn_id].append(event)
    for turn_id, events in used.items():
        turn = turns[turn_id]
        turn.input_tokens = sum(event.input_tokens for event in events)
        turn.output_tokens = sum(event.output_tokens for event in events)
        turn.models = sorted({event.model for event in events})
        turn.is_estimated = any(event.is_estimated for event in events)
    return list(turns.values())


def _sources(citations: Iterable[dict[str, Any]]) -> Iterator[Source]:
    for citation in citations:
        try:
            document, page = uuid.UUID(str(citation["document"])), int(citation["page"])
            quote, title = str(citation.get("quote", "")), str(citation.get("title", ""))
            yield Source(int(citation["number"]), title or "Document", page, quote, page_url(document, page, quote))
        except (KeyError, TypeError, ValueError):
            # Kept by an older version, and without what a link needs.
            continue


def _pieces(text: str, sources: list[Source]) -> Iterator[Piece]:
    known = {source.number: source for source in sources}
    end = 0
    for found in _MARK.finditer(text):
        source = known.get(int(found[1]))
        if source is None:
            continue
        yield Piece(text[end : found.start()])
        yield Piece(found[1], source)
        end = found.end()
    yield Piece(text[end:])
