"""What is told and what is asked, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, Literal

NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
Service = Literal["llm", "stt", "tts", "vision", "embedding", "knowledge"]


@dataclass(frozen=True, slots=True)
class Tenant:
    """Whose room it is, and what goes on in it.

    Args:
        metadata: the operators' notes of the tenant.
        session_id: the agent's latest session in the room.
    """

    id: str
    name: str
    service_tier: str
    metadata: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    meeting_id: str | None = None
    conversation_id: str | None = None
    agent_id: str | None = None
    release_id: str | None = None
    session_id: str | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage of a document.

    Args:
        score: 0 to 1, how well it answers.
        category: the collection's slug.
    """

    id: str
    title: str
    content: str
    score: float
    category: str


@dataclass(frozen=True, slots=True)
class Personality:
    """How an agent speaks.

    Args:
        instructions: all of it in words for a model.
    """

    id: str
    name: str
    instructions: str
    tone: str = ""
    capabilities: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cost:
    """Something that was used.

    Args:
        cost_usd: in US dollars; None lets the platform's price lists say, where they know the model.
        cached_tokens: of the input, what the provider had cached.
        is_estimated: nobody counted; this is a guess.
        quantity: how much, where it isn't counted in tokens alone.
        unit: what the quantity counts.
        purpose: what for, such as answer or transcript.
    """

    service: Service
    provider: str
    model: str = ""
    cost_usd: Decimal | str | float | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    quantity: Decimal | str | float | None = None
    unit: Literal["", "second", "character", "frame"] = ""
    is_estimated: bool = False
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class Untold:
    """A cost or an event that the platform hasn't heard of. Its body is JSON, with the key that makes it count once.

    Args:
        path: where it is told.
        body: what is told.
    """

    path: str
    body: Mapping[str, Any]

    @property
    def key(self) -> str:
        """What `track_cost` or `record_event` returned."""
        return str(self.body.get("idempotency_key") or self.body.get("event_id") or "")
