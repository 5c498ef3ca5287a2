"""Contacts' own credentials for tools: given by the tenant's backend, used, never shown."""

from __future__ import annotations

import datetime as dt

from agents.models import Tool, ToolCredential
from switchboard.kernel.problems import NotFound
from switchboard.kernel.text import check_text
from tenants.actor import doing

LONGEST_BYTES = 16 * 1024


def put_credential(
    *, tool: Tool, contact: str, value: str, expires_at: dt.datetime | None = None
) -> tuple[ToolCredential, bool]:
    """Keep what a tool signs in with when it acts for a contact, in the place of what was there.

    Returns:
        The credential, and whether there was none before.

    Raises:
        Invalid: a value or a name that can't be stored.
    """
    check_text(contact, field="contact", max_bytes=800)
    check_text(value, field="value", max_bytes=LONGEST_BYTES)
    with doing("tool_credential.given"):
        return ToolCredential.objects.update_or_create(
            tool=tool, contact=contact, defaults={"value": value, "expires_at": expires_at}
        )


def remove_credential(*, tool: Tool, contact: str) -> None:
    """Forget a contact's credential. Raises `NotFound`."""
    with doing("tool_credential.removed"):
        removed, _ = ToolCredential.objects.filter(tool=tool, contact=contact).delete()
    if not removed:
        raise NotFound("credential")
