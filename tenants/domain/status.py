"""A tenant's doors: closed for a while, opened again, the hostnames that lead to them, and what operators note."""

from __future__ import annotations

import re
from contextlib import nullcontext
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from switchboard.kernel.problems import Conflict, Invalid
from tenants.actor import doing
from tenants.context import use_public
from tenants.limits import changed_metadata, difference
from tenants.models import Domain, Tenant

# RFC 1123 §2.1: labels of letters, digits and inner hyphens, 253 characters in all.
_HOSTNAME: Final = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*\Z"
)


def suspend_tenant(*, tenant: Tenant) -> None:
    """Close a tenant's doors: every request is refused within `directory.MEMORY_SECONDS`. Its data stays.

    Raises:
        Conflict: `tenant_not_ready`, unless it is ready.
    """
    _move(tenant, Tenant.Status.READY, Tenant.Status.SUSPENDED, "Only a tenant that is ready can be suspended.")


def resume_tenant(*, tenant: Tenant) -> None:
    """Open a suspended tenant's doors again.

    Raises:
        Conflict: `tenant_not_suspended`.
    """
    _move(tenant, Tenant.Status.SUSPENDED, Tenant.Status.READY, "Only a suspended tenant can be resumed.")


def change_tenant(*, tenant: Tenant, **values: Any) -> Tenant:
    """Change a tenant's `name`, `service_tier`, `metadata` or `limits`.

    Notes in `metadata` are replaced as a whole. Of `limits` those that aren't named stay; None gives the installation's
    back.

    Raises:
        Invalid: `invalid_tenant`, `invalid_limits`.
    """
    with use_public(), transaction.atomic():
        row: Tenant = Tenant.objects.select_for_update().get(pk=tenant.pk)
        if values.keys() & {"metadata", "limits"}:
            notes, limits = values.get("metadata"), values.get("limits")
            values["metadata"] = changed_metadata(row.metadata, notes=notes, limits=limits)
        changed = sorted(values.keys() & {"name", "service_tier", "metadata"})
        before = row.metadata
        for name in changed:
            setattr(row, name, values[name])
        check_tenant(row)
        limited = difference(before, row.metadata)
        with doing("tenant.limited", limited) if limited else nullcontext():
            row.save(update_fields=changed)
    return row


def check_tenant(tenant: Tenant) -> None:
    """Refuse values that can't be.

    Raises:
        Invalid: `invalid_tenant`, with the fields.
    """
    try:
        tenant.full_clean(validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        problem = Invalid("invalid_tenant", "; ".join(error.messages))
        problem.errors = [
            {"field": field, "message": message}
            for field, messages in error.message_dict.items()
            for message in messages
        ]
        raise problem from None


def add_domain(*, tenant: Tenant, domain: str) -> Domain:
    """Let a further hostname lead to a tenant.

    Raises:
        Invalid: `invalid_domain`.
        Conflict: `domain_exists`, where it leads somewhere already.
    """
    name = check_hostname(domain)
    with use_public():
        try:
            with transaction.atomic():
                has_primary = Domain.objects.filter(tenant=tenant, is_primary=True).exists()
                row: Domain = Domain.objects.create(domain=name, tenant=tenant, is_primary=not has_primary)
                return row
        except (IntegrityError, ValidationError):
            raise Conflict("domain_exists", f"The hostname {name} leads to a tenant already.") from None


def remove_domain(*, domain: Domain) -> None:
    """End a hostname.

    Raises:
        Conflict: `domain_needed`, where it is the tenant's last.
    """
    with use_public(), transaction.atomic():
        Tenant.objects.select_for_update().get(pk=domain.tenant_id)
        others = Domain.objects.filter(tenant_id=domain.tenant_id).exclude(pk=domain.pk)
        if not others.exists():
            raise Conflict("domain_needed", "A tenant needs at least one hostname.")
        if domain.is_primary:
            Domain.objects.filter(pk=others.order_by("pk").values("pk")[:1]).update(is_primary=True)
        domain.delete()


def check_hostname(name: str) -> str:
    """A hostname without port, in lower case.

    Raises:
        Invalid: `invalid_domain`.
    """
    lowered = name.strip().lower().removesuffix(".")
    if not _HOSTNAME.match(lowered):
        detail = f"“{name.strip()}” is no hostname. Write it without port or path, such as hotel.example.com."
        raise Invalid("invalid_domain", detail, field="domain")
    return lowered


def _move(tenant: Tenant, before: str, after: str, refusal: str) -> None:
    with use_public():
        changed = Tenant.objects.filter(pk=tenant.pk, status=before).update(status=after)
    if not changed:
        raise Conflict(f"tenant_not_{before}", refusal)
