"""What is kept of contacts: their consent, facts about them, summaries of what they said; and its erasure."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from agents.models import CachedAnswer, ContactConsent, ContactFact, ConversationSummary, TurnTrace
from switchboard.kernel.ids import uuid7
from switchboard.kernel.problems import Conflict, Invalid
from tenants.actor import doing

MOST_FACTS: Final = 100  # of one contact
_KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,59}")


@dataclass(frozen=True, slots=True)
class Erased:
    """How much was forgotten."""

    facts: int
    summaries: int
    traces: int = 0


def set_consent(*, contact: str, is_given: bool, source: str) -> ContactConsent:
    """Note that a contact agreed, or no longer agrees, that facts about them are kept. With their consent go the facts.

    Raises:
        Invalid: `contact_missing`.
    """
    if not contact:
        raise Invalid("contact_missing", "Say whose consent it is.", field="contact")
    with transaction.atomic(), doing("contact_consent.given" if is_given else "contact_consent.withdrawn"):
        consent, _ = ContactConsent.objects.update_or_create(
            contact=contact, defaults={"is_given": is_given, "source": source}
        )
        if not is_given:
            ContactFact.objects.filter(contact=contact).delete()
    return consent


def keep_fact(*, contact: str, key: str, value: str, days: int, source_turn_id: uuid.UUID | None = None) -> ContactFact:
    """Keep a fact about a contact who agreed to that; a fact of the same key is replaced.

    Raises:
        Conflict: `consent_missing`; `too_many_facts`.
        Invalid: `invalid_fact`.
    """
    key, value = key.strip(), " ".join(value.replace("\x00", "").split())[:500]
    if not _KEY.fullmatch(key) or not value:
        raise Invalid("invalid_fact", "A fact has a key such as preferred_room, and a value.", field="key")
    with transaction.atomic():
        # The lock keeps a consent from being withdrawn in between, and its facts from coming back after that.
        consent = ContactConsent.objects.select_for_update().filter(contact=contact, is_given=True).first()
        if consent is None:
            raise Conflict("consent_missing", "This contact has not agreed that facts about them are kept.")
        others = ContactFact.objects.filter(contact=contact).exclude(key=key)
        if others.count() >= MOST_FACTS:
            raise Conflict("too_many_facts", f"{MOST_FACTS} facts about this contact are kept already.")
        fact, _ = ContactFact.objects.update_or_create(
            contact=contact,
            key=key,
            defaults={
                "value": value,
                "consent": consent,
                "source_turn_id": source_turn_id,
                "expires_at": timezone.now() + dt.timedelta(days=days),
            },
        )
    return fact


def forget_fact(*, fact: ContactFact) -> None:
    """Erase one fact."""
    fact.delete()


def forget_conversation(*, conversation_id: uuid.UUID) -> Erased:
    """Erase what was remembered of a conversation. Its thread stays; what it holds by now is not summarised again."""
    with doing("memory.erased"):
        return Erased(0, _blank(ConversationSummary.objects.filter(conversation_id=conversation_id)))


def forget_contact(*, contact: str) -> Erased:
    """Erase everything that is remembered of a contact: facts, consent, summaries of their conversations, and the
    traces of their turns, which hold what models were shown of all that. Threads stay, and so does the record of what
    was done for them: it is the tenant's own.

    Raises:
        Invalid: `contact_missing`.
    """
    if not contact:
        raise Invalid("contact_missing", "Say who is to be forgotten.", field="contact")
    with transaction.atomic(), doing("memory.erased"):
        facts, _ = ContactFact.objects.filter(contact=contact).delete()
        ContactConsent.objects.filter(contact=contact).delete()
        summaries = _blank(ConversationSummary.objects.filter(contact=contact))
        traces, _ = TurnTrace.objects.filter(contact=contact).delete()
    return Erased(facts, summaries, traces)


def purge() -> int:
    """Remove facts and cached answers whose time is up; how many."""
    now = timezone.now()
    facts, _ = ContactFact.objects.filter(expires_at__lte=now).delete()
    answers, _ = CachedAnswer.objects.filter(expires_at__lte=now).delete()
    return facts + answers


def _blank(rows: QuerySet[ConversationSummary]) -> int:
    """Empty summaries. The rows stay and say that they cover all there is, or the next turn would write them anew."""
    return rows.update(text="", covered_until=uuid7(), erased_at=timezone.now(), updated_at=timezone.now())
