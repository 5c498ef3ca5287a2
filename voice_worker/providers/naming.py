"""A plugin's class under the ledger's name for its provider.

The plugins name themselves, or the host they speak to. What was used is booked, and priced, by what the platform calls
the provider.
"""

from __future__ import annotations

from typing import Any, TypeVar

T = TypeVar("T")


def known_as(kind: type[T], label: str) -> type[T]:
    """The class, with a `provider` of our own."""
    namespace: dict[str, Any] = {"provider": property(lambda self: label), "__module__": kind.__module__}
    return type(kind.__name__, (kind,), namespace)
