"""Leads: taken down by agents, seen to by staff."""

from __future__ import annotations

import re
import uuid
from typing import Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from conversations.desk.models import Lead
from switchboard.kernel.problems import Invalid
from switchboard.kernel.text import check_note
from tenants.actor import doing

_PHONE: Final = re.compile(r"\+?[0-9][0-9 ()/.-]{4,38}")


def capture_lead(
    *,
    name: str,
    email: str = "",
    phone: str = "",
    interest: str = "",
    contact: str = "",
    conversation_id: uuid.UUID | None = None,
) -> Lead:
    """Take down who wants to hear from the company. The same person twice in a conversation is one lead, of which
    the later details count.

    Raises:
        Invalid: `invalid_name`; `invalid_email`; `invalid_phone`; `lead_unreachable`, without either.
    """
    told = {
        "name": check_name(name),
        "email": check_email(email),
        "phone": check_phone(phone),
        "interest": check_note(interest, field="interest", max_characters=1000),
    }
    if not told["email"] and not told["phone"]:
        raise Invalid("lead_unreachable", "Give an e-mail address or a phone number.", field="email")
    with transaction.atomic(), doing("lead.captured"):
        earlier = _earlier(conversation_id, told["name"])
        if earlier is None:
            return Lead.objects.create(**told, contact=contact, conversation_id=conversation_id)
        for field, value in told.items():
            if value:
                setattr(earlier, field, value)
        earlier.save(update_fields=[*told, "updated_at"])
        return earlier


def change_lead(*, lead: Lead, status: str) -> Lead:
    """Note how far a lead has come."""
    with doing("lead.changed"):
        lead.status = Lead.Status(status)
        lead.save(update_fields=["status", "updated_at"])
    return lead


def check_name(name: str) -> str:
    """A person's name. Raises `Invalid`."""
    cleaned = check_note(name, field="name", max_characters=120)
    if not cleaned:
        raise Invalid("invalid_name", "Give a name.", field="name")
    return cleaned


def check_email(email: str) -> str:
    """An e-mail address, or "". Raises `Invalid`."""
    cleaned = check_note(email, field="email", max_characters=254)
    try:
        if cleaned:
            validate_email(cleaned)
    except ValidationError:
        raise Invalid("invalid_email", "This is no e-mail address.", field="email") from None
    return cleaned


def check_phone(phone: str) -> str:
    """A phone number as people write it, or "". Raises `Invalid`."""
    cleaned = check_note(phone, field="phone", max_characters=40)
    if cleaned and not _PHONE.fullmatch(cleaned):
        raise Invalid("invalid_phone", "This is no phone number.", field="phone")
    return cleaned


def _earlier(conversation_id: uuid.UUID | None, name: str) -> Lead | None:
    if conversation_id is None:
        return None
    found = Lead.objects.select_for_update().filter(conversation_id=conversation_id, name__iexact=name)
    return found.order_by("-id").first()
