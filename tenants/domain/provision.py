"""A new tenant: its schema copied from the template, its defaults reconciled, and only then its doors opened."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from switchboard.kernel.problems import Conflict
from tenants.actor import doing
from tenants.context import use_public, use_tenant
from tenants.domain import template
from tenants.domain.status import check_hostname, check_tenant
from tenants.limits import changed_metadata, difference
from tenants.models import Domain, Tenant, schema_name_for

logger = logging.getLogger(__name__)

Reconcile = Callable[[], None]
_reconcilers: dict[str, Reconcile] = {}


def reconcile_with(name: str, reconcile: Reconcile) -> None:
    """Register what an app wants in every tenant. `reconcile` runs in the tenant's scope and may run again at any
    time.
    """
    _reconcilers[name] = reconcile


def create_tenant(
    *,
    name: str,
    slug: str,
    domains: Sequence[str],
    service_tier: str = "standard",
    metadata: Mapping[str, Any] | None = None,
    limits: Mapping[str, Any] | None = None,
) -> Tenant:
    """A tenant that is ready to use.

    Args:
        name: as people read it.
        slug: lower-case letters, digits, `_`; names the schema.
        domains: hostnames without port; the first is the primary one.
        service_tier: what it pays for.
        metadata: names and plain values of the operators' own.
        limits: by name; the installation's hold where it says nothing, or None.

    Raises:
        Invalid: a name that can't be, `invalid_limits`.
        Conflict: `tenant_exists`, where slug or hostname is taken.
    """
    hostnames = [check_hostname(domain) for domain in domains]
    with use_public():
        tenant = Tenant(
            name=name,
            slug=slug,
            schema_name=schema_name_for(slug),
            service_tier=service_tier,
            metadata=changed_metadata({}, notes=metadata, limits=limits),
        )
        check_tenant(tenant)
        try:
            with transaction.atomic():
                tenant.migrated_to = template.current_digest()
                with doing("tenant.created", difference({}, tenant.metadata)):
                    tenant.save()
                for index, hostname in enumerate(hostnames):
                    Domain.objects.create(domain=hostname, tenant=tenant, is_primary=index == 0)
                template.copy_to(schema_name=tenant.schema_name)
        except (IntegrityError, ValidationError):
            raise Conflict("tenant_exists", f"The slug {slug} or one of the hostnames is taken.") from None
        open_doors(tenant=tenant)
    return tenant


def open_doors(*, tenant: Tenant) -> None:
    """Reconcile a tenant's defaults and mark it ready. A tenant whose making was interrupted here is finished by
    `migrate_platform`.
    """
    with use_tenant(tenant):
        for reconcile in _reconcilers.values():
            reconcile()
    with use_public():
        Tenant.objects.filter(pk=tenant.pk, status=Tenant.Status.PREPARING).update(status=Tenant.Status.READY)
        tenant.refresh_from_db()
