"""What the operators noted of a tenant in its metadata, where it stands in for a setting of the whole installation."""

from __future__ import annotations

from tenants.context import current_tenant


def noted_limit(name: str, default: int) -> int:
    """A limit of the tenant in force: the installation's, unless the operators noted another. 0: there is none.

    Args:
        name: in the tenant's metadata. What is no whole number from 0 on counts as not noted.
        default: the installation's.
    """
    value = current_tenant().metadata.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else default
