"""How many voice sessions a tenant may have at once, in rooms, on calls and over audio websockets together.

Every session of ours holds a lease, which lapses with the process that renews it: the leases are what is counted, so
that a worker that was killed frees its places by itself. Sessions that a worker of somebody's own tells of hold none,
and take nothing of ours.
"""

from __future__ import annotations

from typing import Final

from django.db import connection

from switchboard.kernel.problems import Problem
from tenants.context import tenant_id
from tenants.domain import leases
from tenants.limits import VOICE_SESSIONS_AT_ONCE

LEASE_KIND: Final = "voice"
_AGAIN_SECONDS: Final = 15


class NoPlace(Problem):
    """A tenant has as many voice sessions as it may."""

    def __init__(self) -> None:
        super().__init__(
            "too_many_voice_sessions",
            "This company has as many voice conversations at once as it may. Try again in a moment.",
            status=429,
            headers={"Retry-After": str(_AGAIN_SECONDS)},
        )


def is_full() -> bool:
    """Whether all places of the tenant in force are taken."""
    most = VOICE_SESSIONS_AT_ONCE.in_force()
    return bool(most) and leases.count_fresh(kind=LEASE_KIND) >= most


def check_place() -> None:
    """See that there is a place, before anything is begun. It may be gone a moment later.

    Raises:
        NoPlace: there is none.
    """
    if is_full():
        raise NoPlace


def take_place() -> None:
    """Be sure of a place. In the caller's transaction, which opens the session's lease; who comes next waits for that.

    Raises:
        NoPlace: there is none.
    """
    # One after the other, or the last place would be given to everybody who looks at the same time.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('voice sessions'), hashtext(%s))", [str(tenant_id())])
    check_place()
