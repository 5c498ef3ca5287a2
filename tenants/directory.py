"""From a hostname or an API key to a tenant, remembered for a moment: what every request asks first."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final

from switchboard.kernel.memory import Memory
from tenants.context import Scope, scope_of, use_public
from tenants.domain import api_keys
from tenants.models import ApiKey, Domain, Tenant
from tenants.permissions import Permission

# A key that is revoked and a tenant that is suspended are forgotten by every process within this time.
MEMORY_SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a tenant at the door."""

    scope: Scope
    status: str

    @property
    def is_ready(self) -> bool:
        return self.status == Tenant.Status.READY

    @property
    def is_deleted(self) -> bool:
        return self.status == Tenant.Status.DELETED


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """A recognised API key. A platform key has no tenant."""

    key_id: uuid.UUID
    name: str
    tenant: Entry | None
    scopes: frozenset[Permission]


def _entry(tenant: Tenant) -> Entry:
    return Entry(scope_of(tenant), tenant.status)


def key_entry(row: ApiKey) -> KeyEntry:
    """What is known of a key at the door."""
    return KeyEntry(row.pk, row.name, _entry(row.tenant) if row.tenant else None, row.permissions)


def _tenant_of_host(host: str) -> Entry | None:
    with use_public():
        domain = Domain.objects.select_related("tenant").filter(domain=host).first()
    return _entry(domain.tenant) if domain else None


def _api_key(key: str) -> KeyEntry | None:
    with use_public():
        row = api_keys.recognise(key)
    return key_entry(row) if row else None


hosts: Memory[str, Entry | None] = Memory(_tenant_of_host, seconds=MEMORY_SECONDS)
keys: Memory[str, KeyEntry | None] = Memory(_api_key, seconds=MEMORY_SECONDS)
