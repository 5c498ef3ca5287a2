"""What an origin is, and whether a tenant allows it. Every process remembers a tenant's list for a moment."""

from __future__ import annotations

import re
from typing import Final

from switchboard.kernel.memory import Memory
from tenants.context import Scope, use_tenant
from tenants.origins.models import AllowedOrigin

MEMORY_SECONDS: Final = 3.0
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ORIGIN: Final = re.compile(rf"(https?)://(\*\.)?({_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]+\])(?::([1-9][0-9]{{0,4}}))?")
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}


def normal_origin(text: str) -> str | None:
    """An origin as browsers write it (RFC 6454 §6.2): lower case, without a port that goes without saying. None for
    what is none. `*.` may stand for subdomains, over https and of no whole top-level domain.
    """
    shape = _ORIGIN.fullmatch(text.strip().lower()) if len(text) <= 300 else None
    if shape is None:
        return None
    scheme, star, host, port = shape[1], shape[2] or "", shape[3], shape[4]
    if port is not None and int(port) > 65535:
        return None
    if star and (scheme != "https" or "." not in host or host.rpartition(".")[2].isdigit()):
        return None
    shown = f":{port}" if port and port != _DEFAULT_PORTS[scheme] else ""
    return f"{scheme}://{star}{host}{shown}"


def is_allowed(origin: str, allowed: frozenset[str]) -> bool:
    """Whether a browser's Origin header is in a tenant's list."""
    if not allowed or "*" in origin or normal_origin(origin) != origin:
        return False
    if origin in allowed:
        return True
    scheme, _, host = origin.partition("://")
    while "." in host:
        host = host.partition(".")[2]
        if f"{scheme}://*.{host}" in allowed:
            return True
    return False


def _load(scope: Scope) -> frozenset[str]:
    with use_tenant(scope):
        return frozenset(AllowedOrigin.objects.values_list("origin", flat=True))


allowed_origins: Memory[Scope, frozenset[str]] = Memory(_load, seconds=MEMORY_SECONDS)
