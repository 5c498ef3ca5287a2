"""Calls of models that are under way, so that one that is cut off is metered all the same: its provider bills it."""

from __future__ import annotations

from dataclasses import dataclass, field

from agents.content.runtime import ModelChoice
from agents.engine import gateway
from agents.models import ModelEndpoint
from billing.domain.usage import Usage


@dataclass(eq=False, slots=True)
class OpenCall:
    """One call whose end hasn't come.

    Args:
        sent: characters of the request.
        written: characters of the answer so far.
    """

    choice: ModelChoice
    sent: int
    written: int = 0


@dataclass(eq=False, slots=True)
class Meter:
    """The open calls of one turn."""

    calls: list[OpenCall] = field(default_factory=list)

    def begin(self, choice: ModelChoice, *, sent: int) -> OpenCall:
        """A call is made."""
        call = OpenCall(choice, sent)
        self.calls.append(call)
        return call

    def end(self, call: OpenCall) -> None:
        """It has told what it used, or has used nothing."""
        self.calls.remove(call)

    async def cut_off(self) -> list[Usage]:
        """What the calls used that are open still; asked once the turn is over."""
        calls, self.calls = self.calls, []
        return [used for call in calls for used in await self.cut_off_of(call)]

    async def cut_off_of(self, call: OpenCall) -> list[Usage]:
        """What a call used that is not waited for any longer; nothing where it has told, or nothing came of it."""
        if not call.written:
            return []
        written, call.written = call.written, 0
        try:
            return [await gateway.estimate_usage(choice=call.choice, sent=call.sent, written=written)]
        except ModelEndpoint.DoesNotExist:
            return []
