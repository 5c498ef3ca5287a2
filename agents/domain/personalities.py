"""Personalities beyond what every registry has: one of them may be the tenant's default."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from agents.domain.components import refuse_if_deleted
from agents.models import Personality
from tenants.actor import doing

# Each try waits for the one who won; to lose this often, as many people must choose at once.
_TRIES = 50


def set_default(*, personality: Personality, is_default: bool = True, message: str = "") -> None:
    """Make a personality the one that new releases take, in place of the one before; or none.

    Releases that were made keep theirs. However many are chosen at once, one is the default afterwards.

    Raises:
        Conflict: `deleted`.
    """
    refuse_if_deleted(personality)
    with doing("personality.made_default" if is_default else "personality.no_default", message):
        for left in reversed(range(_TRIES)):
            try:
                with transaction.atomic():
                    _set(personality, is_default)
                return
            except IntegrityError:  # another became the default between the two updates
                if not left:
                    raise


def _set(personality: Personality, is_default: bool) -> None:
    if is_default:
        Personality.objects.filter(is_default=True).exclude(pk=personality.pk).update(is_default=False)
    Personality.objects.filter(pk=personality.pk).exclude(is_default=is_default).update(is_default=is_default)
