"""What a tool signs in with: the contact's own credentials where the tenant's backend gave any, else its secret."""

from __future__ import annotations

from django.utils import timezone

from agents.models import ToolCredential
from agents.tools.results import ToolFailed
from tenants.vault.queries import SecretMissing, secret_value


def credential_for(*, tool: str, secret: str, contact: str) -> str:
    """The credential of a call, for use at once; "" where the tool needs none.

    Args:
        tool: its slug.
        secret: the name of the tool's own.
        contact: whom the call acts for; "" where nobody said.

    Raises:
        ToolFailed: `tool_credential_expired`; `tool_secret_missing`.
    """
    if contact:
        own = ToolCredential.objects.filter(tool__slug=tool, contact=contact).first()
        if own is not None:
            if own.expires_at is not None and own.expires_at <= timezone.now():
                raise ToolFailed("tool_credential_expired", "The contact has to sign in to the service again.")
            return own.value
    if not secret:
        return ""
    try:
        return secret_value(secret)
    except SecretMissing:
        raise ToolFailed("tool_secret_missing", "The secret that the tool signs in with is not there.") from None
