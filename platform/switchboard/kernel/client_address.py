"""Where a request came from, past the proxies in front."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from django.conf import settings


def client_address(meta: Mapping[str, str]) -> str:
    """The client's network address, or "" where it can't be known.

    Each proxy adds to the end of `X-Forwarded-For` whom it was called by, so what stands before the trusted ones'
    additions is the caller's own invention.

    Args:
        meta: a request's META.
    """
    hops = [hop.strip() for hop in meta.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    chain = [*hops, meta.get("REMOTE_ADDR", "")]
    return _plain(chain[max(0, len(chain) - 1 - settings.TRUSTED_PROXIES)])


def _plain(hop: str) -> str:
    """An address without port and brackets."""
    if hop.startswith("["):
        hop = hop[1:].partition("]")[0]
    elif hop.count(":") == 1:
        hop = hop.partition(":")[0]
    try:
        return str(ipaddress.ip_address(hop))
    except ValueError:
        return ""
