"""Whom this machine trusts, read once."""

from __future__ import annotations

import ssl
from functools import cache


@cache
def trust() -> ssl.SSLContext:
    """One context for all clients of a process: reading the certificates takes tens of milliseconds, during which an
    event loop does nothing else, and a megabyte.
    """
    return ssl.create_default_context()
