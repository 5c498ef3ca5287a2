"""The hosts that a tenant's answers may lead to without more ado: its own, and the sites its agents are shown on."""

from __future__ import annotations

from urllib.parse import urlsplit

from switchboard.kernel.memory import Memory
from tenants.context import Scope, use_tenant
from tenants.models import Domain
from tenants.origins.models import AllowedOrigin


def _load(scope: Scope) -> frozenset[str]:
    with use_tenant(scope):
        domains = Domain.objects.filter(tenant__schema_name=scope.schema_name).values_list("domain", flat=True)
        sites = (urlsplit(origin).hostname for origin in AllowedOrigin.objects.values_list("origin", flat=True))
        return frozenset([*domains, *(site.removeprefix("*.") for site in sites if site)])


own_hosts: Memory[Scope, frozenset[str]] = Memory(_load, seconds=30.0, most=4096)
