"""What happens in a turn, as values. Channels number them, keep them and show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from billing.domain.usage import Usage

Kind = Literal["delta", "citation", "usage", "error", "done"]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `data` is JSON."""

    kind: Kind
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Citation:
    """The passage that a `[number]` in an answer points at.

    Args:
        page: from 1.
        quote: the words of the passage that matter.
        url: a link to the page, signed and short-lived.
    """

    number: int
    document: str
    title: str
    page: int
    quote: str
    url: str

    def as_dict(self) -> dict[str, Any]:
        """The citation as JSON."""
        return {
            "number": self.number,
            "document": self.document,
            "title": self.title,
            "page": self.page,
            "quote": self.quote,
            "url": self.url,
        }


def delta(text: str) -> Event:
    """A piece of the answer."""
    return Event("delta", {"text": text})


def citation(cited: Citation) -> Event:
    """A source of the answer."""
    return Event("citation", cited.as_dict())


def usage(used: Usage) -> Event:
    """What a model call used."""
    return Event(
        "usage",
        {
            "service": used.service,
            "provider": used.provider,
            "model": used.model,
            "input_tokens": used.input_tokens,
            "output_tokens": used.output_tokens,
            "is_estimated": used.is_estimated,
            "cost_usd": None if used.cost_usd is None else str(used.cost_usd),
        },
    )


def error(code: str, detail: str) -> Event:
    """The turn can't go on."""
    return Event("error", {"code": code, "detail": detail})
