"""Whose an idempotency key is: its tenant's, and within that its caller's."""

from __future__ import annotations

from rest_framework.request import Request

from tenants.api.authentication import ApiKeyCaller
from tenants.context import tenant_key


def caller_name_space(request: Request) -> str:
    """A Redis prefix that no other caller has."""
    caller = request.user
    if isinstance(caller, ApiKeyCaller):
        return tenant_key("key", caller.key.key_id)
    return tenant_key("staff", caller.pk)
