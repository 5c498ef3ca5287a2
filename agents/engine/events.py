"""What happens in a turn, as values. Channels number them, keep them and show them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Literal

from billing.domain.usage import Usage

Kind = Literal[
    "route", "delta", "tool_call", "tool_result", "action", "citation", "refusal", "escalation", "usage", "error"
]


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


def delta(text: str) -> Event:
    """A piece of the answer."""
    return Event("delta", {"text": text})


def citation(cited: Citation) -> Event:
    """A source of the answer."""
    return Event("citation", asdict(cited))


def route(agent: str) -> Event:
    """A supervisor hands the turn to a domain agent, named by its slug."""
    return Event("route", {"agent": agent})


def tool_call(tool: str, arguments: dict[str, Any]) -> Event:
    """The agent calls a tool, named by its slug."""
    return Event("tool_call", {"tool": tool, "arguments": arguments})


def tool_result(tool: str, *, ok: bool, code: str, text: str) -> Event:
    """What a tool answered, as the agent is shown it."""
    return Event("tool_result", {"tool": tool, "ok": ok, "code": code, "text": text})


def action(status: str, tool: str, *, arguments: dict[str, Any] | None = None, asked: str = "") -> Event:
    """Something that the contact wants done has come further; nothing has been run yet.

    Args:
        status: `filling` (the argument `asked` is asked for), `confirming` or `dropped`.
    """
    return Event("action", {"status": status, "tool": tool, "arguments": arguments or {}, "asked": asked})


def refusal(code: str, reason: str) -> Event:
    """A policy kept something out of the conversation."""
    return Event("refusal", {"code": code, "reason": reason})


def escalation(reason: str) -> Event:
    """A person is asked to take over."""
    return Event("escalation", {"reason": reason})


def usage(used: Usage) -> Event:
    """What a model call used."""
    cost = None if used.cost_usd is None else str(used.cost_usd)
    counted = {**asdict(used), "cost_usd": cost}
    if used.quantity is None:
        # Most of a turn is counted in tokens alone; speech is metered where it is used.
        del counted["quantity"], counted["unit"]
    else:
        counted["quantity"] = str(used.quantity)
    return Event("usage", counted)


def usage_in(event: Event) -> Usage:
    """What a `usage` event tells."""
    cost, quantity = event.data["cost_usd"], event.data.get("quantity")
    numbers = {
        "cost_usd": None if cost is None else Decimal(cost),
        "quantity": None if quantity is None else Decimal(quantity),
    }
    return Usage(**{**event.data, **numbers})


def error(code: str, detail: str) -> Event:
    """The turn can't go on."""
    return Event("error", {"code": code, "detail": detail})
