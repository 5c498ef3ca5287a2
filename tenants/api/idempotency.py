"""Whose an idempotency key is: its tenant's, and within that its caller's."""

from __future__ import annotations

from rest_framework.request import Request

from tenants.api.authentication import ApiKeyCaller
from tenants.context import current_scope, tenant_key


def caller_name_space(request: Request) -> str:
    """A Redis prefix that no other caller has."""
    caller = request.user
    kind, pk = ("key", caller.key.key_id) if isinstance(caller, ApiKeyCaller) else ("staff", caller.pk)
    scope = current_scope()
    if scope is not None and scope.is_public:
        return f"platform:{kind}:{pk}"
    return tenant_key(kind, pk)
