"""Cache keys that carry the tenant: the same key of two tenants is two entries."""

from __future__ import annotations

from tenants.context import TenantNotSet, current_scope


def tenant_cache_key(key: str, key_prefix: str, version: int) -> str:
    """Django's KEY_FUNCTION. Raises `TenantNotSet` where no scope is in force."""
    scope = current_scope()
    if scope is None:
        raise TenantNotSet("The cache was asked with no tenant in force.")
    return f"cache:{scope.schema_name}:{key_prefix}:{version}:{key}"
