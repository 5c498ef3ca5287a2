"""What is remembered of a turn once it is over: beside the conversation, never in its way."""

from __future__ import annotations

import logging
import uuid

from agents.engine.memory import Said, covered_until, is_due, remember_turn
from agents.engine.request import TurnRequest
from agents.engine.state import chain_of
from billing.domain.usage import Usage, record_usages
from conversations.domain.turns import MOST_SHOWN, role_of
from conversations.models import Message
from switchboard.kernel.database import OUTAGES, in_database

logger = logging.getLogger(__name__)


async def remember(request: TurnRequest, answer: str) -> None:
    """Sum up what falls out of the window, and keep facts where that was agreed to. Failing costs nobody anything: the
    next turn tries again.
    """
    policy = request.release.runtime.memory
    texts = [*(text for _, text in request.history), request.question, answer]
    wants_facts = policy.contact_facts and bool(request.contact)
    if not wants_facts and not is_due(texts=texts, policy=policy, most_messages=MOST_SHOWN):
        return
    try:
        until = await covered_until(request.conversation_id)
        used = await remember_turn(
            conversation_id=request.conversation_id,
            contact=request.contact,
            turn_id=request.turn_id,
            said=await in_database(_said_since, request.conversation_id, until),
            policy=policy,
            chain=chain_of(request.release),
            most_messages=MOST_SHOWN,
        )
        if used:
            await in_database(_meter, request, used)
    except OUTAGES:
        logger.warning("a turn could not be remembered", extra={"turn": str(request.turn_id)})
    except Exception:
        logger.exception("a turn could not be remembered", extra={"turn": str(request.turn_id)})


def _said_since(conversation_id: uuid.UUID, until: uuid.UUID | None) -> list[Said]:
    rows = Message.objects.filter(conversation_id=conversation_id)
    if until is not None:
        rows = rows.filter(pk__gt=until)
    return [Said(pk, role_of(role), text) for pk, role, text in rows.order_by("pk").values_list("pk", "role", "text")]


def _meter(request: TurnRequest, used: tuple[Usage, ...]) -> None:
    record_usages(
        usages={f"turn:{request.turn_id}:memory:{number}": one for number, one in enumerate(used)},
        conversation_id=request.conversation_id,
        turn_id=request.turn_id,
        release_id=request.release.id,
    )
