"""Secrets: made, changed, deleted."""

from __future__ import annotations

import re
from typing import Final

from django.db import IntegrityError, transaction

from switchboard.kernel.problems import Conflict, Invalid
from switchboard.kernel.text import check_text
from tenants.vault.models import NAME_PATTERN, Secret, valid_name
from tenants.vault.references import users_of

LONGEST_BYTES: Final = 16 * 1024


def create_secret(*, name: str, value: str, kind: str = Secret.Kind.OTHER, description: str = "") -> Secret:
    """A new secret.

    Raises:
        Invalid: `invalid_name`; a value that can't be stored.
        Conflict: `secret_exists`.
    """
    if not re.fullmatch(NAME_PATTERN, name):
        raise Invalid("invalid_name", str(valid_name.message), field="name")
    check_text(value, field="value", max_bytes=LONGEST_BYTES)
    try:
        with transaction.atomic():
            return Secret.objects.create(name=name, kind=kind, value=value, description=description)
    except IntegrityError:
        raise Conflict("secret_exists", f"There is a secret “{name}” already.") from None


def change_secret(
    *, secret: Secret, value: str | None = None, kind: str | None = None, description: str | None = None
) -> Secret:
    """Change a secret. Its name stays: that is what others know it by.

    Args:
        value: the new one; None keeps what is there.

    Raises:
        Invalid: a value that can't be stored.
    """
    changed = ["updated_at"]
    if value is not None:
        secret.value = check_text(value, field="value", max_bytes=LONGEST_BYTES)
        changed.append("value")
    if kind is not None:
        secret.kind = kind
        changed.append("kind")
    if description is not None:
        secret.description = description
        changed.append("description")
    secret.save(update_fields=changed)
    return secret


def delete_secret(*, secret: Secret) -> None:
    """Delete a secret, whose value is gone with it.

    Raises:
        Conflict: `secret_in_use`.
    """
    users = users_of(secret.name)
    if users:
        shown = ", ".join(users[:3]) + (" and others" if len(users) > 3 else "")
        raise Conflict("secret_in_use", f"It is used by {shown}.")
    secret.delete()
