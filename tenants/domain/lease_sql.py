"""Opening and closing a lease as parts of a larger SQL statement, for the few places where each round trip counts.

Both are data-modifying CTEs; `parameters()` has their values. `leases.open_lease` and `leases.close` are the same for
everybody else.
"""

from __future__ import annotations

from typing import Any, Final

from tenants.context import tenant_id
from tenants.domain.leases import LEASE_SECONDS, this_process

# `{work}` is a CTE with columns `id` (of the work) and `is_ours` (whether this process does it, or it waits for one).
OPEN: Final = """
    INSERT INTO tenants_worklease (kind, object_id, tenant_id, owner, until, attempts, created_at)
    SELECT %(lease_kind)s, id, %(lease_tenant)s, CASE WHEN is_ours THEN %(lease_owner)s ELSE '' END,
           now() + make_interval(secs => %(lease_seconds)s), is_ours::int, now()
    FROM {work}
"""
# One row where this process held the lease, none where it is another's by now.
CLOSE: Final = """
    DELETE FROM tenants_worklease
    WHERE kind = %(lease_kind)s AND object_id = %(lease_work)s AND owner = %(lease_owner)s RETURNING object_id AS id
"""


def parameters(kind: str, work: object = None) -> dict[str, Any]:
    """The values of both statements, for the tenant in force and this process."""
    return {
        "lease_kind": kind,
        "lease_work": work,
        "lease_tenant": tenant_id(),
        "lease_owner": this_process(),
        "lease_seconds": LEASE_SECONDS,
    }
