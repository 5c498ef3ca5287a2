"""From a hostname or an API key to a tenant, remembered for a moment: what every request asks first."""

from __future__ import annotations

import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from tenants.context import Scope, scope_of, use_public
from tenants.domain import api_keys
from tenants.models import Domain, Tenant

# A key that is revoked and a tenant that is suspended are forgotten by every process within this time.
MEMORY_SECONDS: Final = 3.0
_MOST_REMEMBERED = 10_000

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a tenant at the door."""

    scope: Scope
    status: str

    @property
    def is_ready(self) -> bool:
        return self.status == Tenant.Status.READY


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """A recognised API key."""

    key_id: uuid.UUID
    name: str
    tenant: Entry


class Memory(Generic[V]):
    """Answers kept for a few seconds, "there is none" included; bounded, so that made-up hostnames can't fill a
    process.
    """

    def __init__(self, load: Callable[[str], V | None]) -> None:
        self._load = load
        self._known: OrderedDict[str, tuple[float, V | None]] = OrderedDict()

    def known(self, name: str) -> tuple[bool, V | None]:
        """Whether an answer is at hand, and which."""
        entry = self._known.get(name)
        if entry is None or entry[0] < time.monotonic():
            return False, None
        return True, entry[1]

    def find(self, name: str) -> V | None:
        """The answer, from memory or the database."""
        at_hand, value = self.known(name)
        if at_hand:
            return value
        with use_public():
            value = self._load(name)
        self._known[name] = (time.monotonic() + MEMORY_SECONDS, value)
        self._known.move_to_end(name)
        while len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)
        return value

    def forget(self) -> None:
        """Ask the database again from here on."""
        self._known.clear()


def _entry(tenant: Tenant) -> Entry:
    return Entry(scope_of(tenant), tenant.status)


def _tenant_of_host(host: str) -> Entry | None:
    domain = Domain.objects.select_related("tenant").filter(domain=host).first()
    return _entry(domain.tenant) if domain else None


def _api_key(key: str) -> KeyEntry | None:
    row = api_keys.recognise(key)
    return KeyEntry(row.pk, row.name, _entry(row.tenant)) if row else None


hosts: Memory[Entry] = Memory(_tenant_of_host)
keys: Memory[KeyEntry] = Memory(_api_key)
