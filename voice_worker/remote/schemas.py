"""What a remote worker asks and is told. REST speaks these as they are, tRPC in camelCase (`naming`)."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from ninja import Schema
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    StrictInt,
    model_validator,
)

_MOST_TOKENS: Final = 2_147_483_647
_MOST_DATA_BYTES: Final = 6_000  # of what an entry of the time axis holds
_CENTS: Final = Decimal("0.00000001")  # what the ledger holds of a dollar
_THOUSANDTHS: Final = Decimal("0.001")
_LATEST_MS: Final = 2_147_483_647


def _storable(text: str) -> str:
    """PostgreSQL has no NUL and no half of a surrogate pair."""
    if "\x00" in text or text.encode(errors="ignore").decode() != text:
        raise ValueError("the text holds a character that can't be stored")
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("the text is blank")
    return text


def _storable_data(data: dict[str, Any]) -> dict[str, Any]:
    try:
        text = json.dumps(data, ensure_ascii=False, allow_nan=False)
    except (ValueError, RecursionError):
        raise ValueError("this is no JSON that can be stored") from None
    if any("\x00" in inner for inner in _texts(data)):
        raise ValueError("it holds a NUL character, which can't be stored")
    if len(_storable(text).encode()) > _MOST_DATA_BYTES:
        raise ValueError(f"{_MOST_DATA_BYTES:,} bytes are the most")
    return data


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _as_booked(value: Any) -> Any:
    """A price as it is sent, a number or a text, by its digits."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(_CENTS)


def _measured(value: Decimal) -> Decimal:
    return value.quantize(_THOUSANDTHS)


Text = Annotated[str, AfterValidator(_storable)]
Word = Annotated[str, AfterValidator(_storable), AfterValidator(_not_blank)]
Count = Annotated[StrictInt, Field(ge=0, le=_MOST_TOKENS)]
Key = Annotated[
    str, Field(min_length=1, max_length=100, pattern=r"^[!-~]+$", json_schema_extra={"example": "call-7/12"})
]
_Dollars = Annotated[
    Decimal,
    BeforeValidator(_as_booked),
    Field(ge=0, lt=10**8, allow_inf_nan=False, max_digits=40),
    AfterValidator(_rounded),
]
Dollars = _Dollars | None
_Quantity = Annotated[
    Decimal,
    BeforeValidator(_as_booked),
    Field(ge=0, lt=10**9, allow_inf_nan=False, max_digits=40),
    AfterValidator(_measured),
]
Quantity = _Quantity | None
Data = Annotated[dict[str, Any], AfterValidator(_storable_data)]
Room = Annotated[Word | None, Field(max_length=80, description="The room's name, as LiveKit has it.")]
Number = Annotated[
    str | None,
    Field(
        pattern=r"^\+[1-9][0-9]{6,14}$",
        description="The number that was called.",
        json_schema_extra={"example": "+4930123456"},
    ),
]
TenantId = Annotated[uuid.UUID | None, Field(description="As the first of these operations told it.")]


class Asked(Schema):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Placed(Asked):
    """For whom: at least one of these. What is named twice must agree."""

    room: Room = None
    number: Number = None
    tenant_id: TenantId = None


class TenantAsked(Asked):
    """A room, or a number that was called."""

    room: Room = None
    number: Number = None


class WorkerTenant(Schema):
    id: uuid.UUID
    name: str
    service_tier: str
    api_key: None = Field(
        description="Always null: the worker's own key opens all it needs, and no other is handed out."
    )
    metadata: dict[str, Any] = Field(description="The operators' notes of the tenant.")
    meeting_id: uuid.UUID | None
    conversation_id: uuid.UUID | None
    agent_id: uuid.UUID | None
    release_id: uuid.UUID | None
    session_id: uuid.UUID | None = Field(description="The agent's latest session in the room.")


class CostAsked(Placed):
    """Something that was used, to be booked once."""

    idempotency_key: Key = Field(description="The worker's own name for this use. A second call with it books nothing.")
    service: Literal["llm", "stt", "tts", "vision", "embedding", "knowledge"]
    provider: Word = Field(max_length=80)
    model: Text = Field(default="", max_length=120)
    input_tokens: Count = 0
    output_tokens: Count = 0
    cached_tokens: Count = Field(default=0, description="Of the input, what the provider had cached.")
    quantity: Quantity = Field(default=None, description="How much, where it isn't counted in tokens alone.")
    unit: Literal["", "second", "character", "frame"] = Field(default="", description="What the quantity counts.")
    is_estimated: bool = False
    purpose: Text = Field(default="", max_length=20, description="What for, such as answer or transcript.")
    cost_usd: Dollars = Field(
        default=None, description="Left out, it is what the price lists say of the tokens, where they know the model."
    )
    session_id: uuid.UUID | None = Field(default=None, description="Without it, the room's conversation is charged.")
    conversation_id: uuid.UUID | None = None
    turn_id: uuid.UUID | None = None

    @model_validator(mode="after")
    def _counted(self) -> CostAsked:
        if (self.quantity is None) is not (self.unit == ""):
            raise ValueError("a quantity and its unit come together")
        return self


class Recorded(Schema):
    recorded: Literal[True] = Field(description="It is kept, since now or since an earlier call with its key.")


class KnowledgeAsked(Placed):
    """A question, and by whose release it is looked up: the named agent's, else the room's, else all of the
    tenant's documents.
    """

    query: Word = Field(max_length=2_000)
    limit: Annotated[int, Field(ge=1, le=20)] = 5
    agent_id: uuid.UUID | None = None
    release_id: uuid.UUID | None = None
    conversation_id: uuid.UUID | None = None


class WorkerPassage(Schema):
    id: str = Field(description="Names the passage: its document, page and place.")
    title: str
    content: str
    score: float = Field(ge=0, le=1, description="How well it answers; the list is sorted by it.")
    category: str = Field(description="The collection's slug.")
    document_id: uuid.UUID
    page: int


class WorkerPassages(Schema):
    passages: list[WorkerPassage]


class FlagContext(Asked):
    contact: Text = Field(default="", max_length=200)
    contact_attributes: dict[Annotated[str, Field(max_length=60)], str | bool | int | FiniteFloat] = Field(
        default_factory=dict, max_length=50
    )
    agent: Text = Field(default="", max_length=60, description="The agent's slug.")
    channel: Text = Field(default="", max_length=20)
    unit: Text = Field(default="", max_length=200, description="What a percentage sticks to where nobody is known.")


class FlagAsked(Placed):
    """A flag, and about whom."""

    flag: Word = Field(max_length=100)
    context: FlagContext = Field(default_factory=FlagContext)


class FlagAnswer(Schema):
    enabled: bool
    reason: str


class PersonalityAsked(Placed):
    """One by its id, a release's, an agent's, the room's; else the tenant's default."""

    personality_id: uuid.UUID | None = None
    release_id: uuid.UUID | None = None
    agent_id: uuid.UUID | None = None


class WorkerPersonality(Schema):
    id: uuid.UUID
    name: str
    slug: str
    version: int
    instructions: str = Field(description="All of it in words for a model: manner, tone, capabilities, languages.")
    tone: str
    capabilities: list[str]
    languages: list[str]


class EventAsked(Placed):
    """Something that happened in a session."""

    event_id: Key = Field(description="The worker's own name for it. A second call with it changes nothing.")
    name: Word = Field(max_length=80)
    session_id: uuid.UUID | None = Field(default=None, description="Without it, the latest session of the room.")
    at_ms: Annotated[int | None, Field(ge=0, le=_LATEST_MS)] = Field(
        default=None, description="Milliseconds since the session began."
    )
    at: AwareDatetime | None = Field(default=None, description="Or when; without either, now.")
    turn_id: uuid.UUID | None = None
    data: Data = Field(default_factory=dict, description="6,000 bytes at most.")


class EventRecorded(Recorded):
    id: uuid.UUID
    at_ms: int


def offset_ms(asked: EventAsked, started_at: dt.datetime, now: dt.datetime) -> int:
    """Where on the session's time axis an event stands. A clock that is behind puts nothing before the beginning."""
    if asked.at_ms is not None:
        return asked.at_ms
    passed = (asked.at or now) - started_at
    return min(max(0, round(passed.total_seconds() * 1000)), _LATEST_MS)
