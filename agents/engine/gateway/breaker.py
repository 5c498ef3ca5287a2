"""Circuit breakers: an endpoint that failed several times in a row is left alone for some seconds.

One per tenant and endpoint, in the process: two tenants with the same address have keys and quotas of their own, and
a breaker that were shared would let one tenant's bad key silence the other. Nothing is written anywhere, for a
process finds out by itself within a few calls.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from agents.engine.gateway.failures import ModelFailed
from agents.releases import Endpoint
from tenants.context import current_tenant

FAILURES: Final = 5  # in a row
OPEN_SECONDS: Final = 15.0
_MOST: Final = 4096
# What tells that the endpoint is unwell. A refused key or an unknown model is for people to mend, and tells at once.
_COUNTED: Final = {"model_unreachable", "model_timeout", "model_overloaded", "model_error", "model_stream_broken"}


@dataclass(slots=True)
class _Circuit:
    failures: int = 0
    closed_from: float = 0.0


_circuits: OrderedDict[tuple[str, str, str], _Circuit] = OrderedDict()


def admit(endpoint: Endpoint) -> None:
    """Let a call to an endpoint through, or not.

    After `OPEN_SECONDS` one call is let through to try (half open); until it has succeeded, or as long has passed
    again, the others stay out.

    Raises:
        ModelFailed: `model_unavailable`.
    """
    circuit = _circuits.get(_name(endpoint))
    if circuit is None or circuit.failures < FAILURES:
        return
    now = time.monotonic()
    if now < circuit.closed_from:
        raise ModelFailed(
            "model_unavailable",
            f"{endpoint.name} failed several times just now, so it is left alone for some seconds.",
            retry_after=circuit.closed_from - now,
        )
    circuit.closed_from = now + OPEN_SECONDS


def is_open(endpoint: Endpoint) -> bool:
    """Whether calls to an endpoint are kept out."""
    circuit = _circuits.get(_name(endpoint))
    return circuit is not None and circuit.failures >= FAILURES and time.monotonic() < circuit.closed_from


def note_success(endpoint: Endpoint) -> None:
    """An answer came to its end."""
    if _circuits:
        _circuits.pop(_name(endpoint), None)


def note_failure(endpoint: Endpoint, failure: ModelFailed) -> None:
    """A call failed."""
    if failure.code not in _COUNTED:
        return
    name = _name(endpoint)
    circuit = _circuits.setdefault(name, _Circuit())
    _circuits.move_to_end(name)
    circuit.failures += 1
    if circuit.failures >= FAILURES:
        circuit.closed_from = time.monotonic() + OPEN_SECONDS
    while len(_circuits) > _MOST:
        _circuits.popitem(last=False)


def forget() -> None:
    """Close all circuits."""
    _circuits.clear()


def _name(endpoint: Endpoint) -> tuple[str, str, str]:
    # With the address: one that is corrected starts anew.
    return current_tenant().schema_name, endpoint.name, endpoint.base_url
