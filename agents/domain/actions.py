"""Actions: begun, filled in, confirmed by the contact, and over. Each step is one small transaction of its own, so that
whoever takes a turn over finds exactly how far it came.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction

from agents.models import Action


def open_actions(*, conversation_id: uuid.UUID) -> list[Action]:
    """What a contact has begun in a conversation and not ended, oldest first."""
    return list(Action.objects.filter(conversation_id=conversation_id, status__in=Action.OPEN).order_by("id"))


def begin_action(
    *,
    conversation_id: uuid.UUID,
    turn_id: uuid.UUID,
    release_id: uuid.UUID,
    tool: str,
    arguments: dict[str, Any],
    contact: str,
) -> Action:
    """Note a wish. A turn that is run again finds the action that it began before."""
    with transaction.atomic():
        begun = (
            Action.objects.select_for_update()
            .filter(conversation_id=conversation_id, begun_turn_id=turn_id, tool=tool, release_id=release_id)
            .filter(status__in=Action.OPEN)
            .first()
        )
        if begun is not None:
            return begun
        return Action.objects.create(
            conversation_id=conversation_id,
            begun_turn_id=turn_id,
            release_id=release_id,
            tool=tool,
            arguments=arguments,
            contact=contact,
        )


def ask_for(*, action: Action, arguments: dict[str, Any], asked: str) -> None:
    """Note what is known by now and what the contact is asked for next."""
    _move(action, Action.Status.FILLING, arguments=arguments, asked=asked)


def ask_to_confirm(*, action: Action, arguments: dict[str, Any]) -> None:
    """All is known; the contact is shown it and asked. What they are shown is what will be run."""
    _move(action, Action.Status.CONFIRMING, arguments=arguments, asked="")


def confirm(*, action: Action, turn_id: uuid.UUID) -> bool:
    """The contact said yes in this turn. False where another turn was first, or there is nothing to confirm."""
    confirmed = Action.objects.filter(pk=action.pk, status=Action.Status.CONFIRMING).update(
        status=Action.Status.CONFIRMED, confirmed_turn_id=turn_id
    )
    if confirmed:
        action.status, action.confirmed_turn_id = Action.Status.CONFIRMED, turn_id
    return bool(confirmed)


def finish(*, action: Action, is_done: bool) -> None:
    """It was carried out, or failed for good."""
    _move(action, Action.Status.DONE if is_done else Action.Status.FAILED)


def take_up_again(*, action: Action) -> None:
    """It failed, and nothing was done; the contact may change something and confirm anew."""
    _move(action, Action.Status.FILLING, asked="", confirmed_turn_id=None)


def drop(*, action: Action) -> None:
    """The contact doesn't want it any more."""
    _move(action, Action.Status.DROPPED)


def _move(action: Action, status: str, **changes: Any) -> None:
    for name, value in {**changes, "status": status}.items():
        setattr(action, name, value)
    action.save(update_fields=[*changes, "status", "updated_at"])
