"""A message answered on a release for staff to look at: nothing of it stays but what its models cost."""

from __future__ import annotations

import contextlib
import uuid
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import transaction

from agents import releases
from agents.engine.events import usage_in
from agents.engine.gateway import Role
from agents.engine.turn import TurnRequest, run_turn
from agents.models import Action, ToolCallRecord
from billing.domain.usage import Usage, record_usage
from switchboard.kernel.database import in_database

_MOST_CHARACTERS: Final = 20_000  # of the answer that are shown


@dataclass(slots=True)
class Rehearsal:
    """What a rehearsal came to.

    Args:
        steps: as its trace noted them.
        error: a stable code and a sentence, where it failed.
    """

    answer: str = ""
    citations: list[dict[str, Any]] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    usages: list[Usage] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    error: tuple[str, str] | None = None


async def rehearse(
    *, release_id: uuid.UUID, history: tuple[tuple[Role, str], ...], question: str, contact: str = ""
) -> Rehearsal:
    """Answer a message on a release as if it came now. Tools that change something only say what they would do.

    Raises:
        Release.DoesNotExist: there is none.
    """
    release = await releases.resolve_async(release_id)
    request = TurnRequest(release, history, question, contact=contact, is_rehearsal=True)
    found = Rehearsal()
    said: list[str] = []
    try:
        async with contextlib.aclosing(run_turn(request)) as happening:
            async for event in happening:
                match event.kind:
                    case "delta":
                        said.append(event.data["text"])
                    case "citation":
                        found.citations.append(event.data)
                    case "usage":
                        found.usages.append(usage_in(event))
                    case "refusal":
                        found.refusals.append(event.data["code"])
                    case "error":
                        found.error = (event.data["code"], event.data["detail"])
    finally:
        found.usages += await request.meter.cut_off()
        found.steps = request.steps
        await in_database(_forget, request=request, usages=found.usages)
    found.answer = "".join(said).strip()[:_MOST_CHARACTERS]
    return found


@transaction.atomic
def _forget(*, request: TurnRequest, usages: list[Usage]) -> None:
    """Meter it, and take away what the engine noted for a turn that there isn't."""
    for number, used in enumerate(usages):
        record_usage(usage=used, idempotency_key=f"replay:{request.turn_id}:{number}", release_id=request.release.id)
    mine = {"conversation_id": request.conversation_id}
    Action.objects.filter(**mine).delete()
    ToolCallRecord.objects.filter(**mine).delete()
