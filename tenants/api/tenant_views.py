"""Tenants, for the operators and the platform's own keys, on the platform's host alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from switchboard.kernel.idempotency import idempotent
from switchboard.kernel.problems import NotFound
from switchboard.kernel.resources import asked, checked
from tenants.api.resources import Resource
from tenants.api.tenant_serializers import (
    DomainFields,
    DomainSerializer,
    TenantChanges,
    TenantFields,
    TenantFilters,
    TenantSerializer,
)
from tenants.domain import removal
from tenants.domain import status as doors
from tenants.domain.provision import create_tenant
from tenants.models import Domain, Tenant
from tenants.permissions import Permission


@extend_schema(tags=["Tenants"])
class TenantViewSet(mixins.ListModelMixin, Resource[Tenant]):
    """The platform's tenants. On the platform's host, for operators and platform keys."""

    permissions: ClassVar[Mapping[str, Permission]] = {
        "list": Permission.TENANTS_READ,
        "retrieve": Permission.TENANTS_READ,
        "create": Permission.TENANTS_WRITE,
        "partial_update": Permission.TENANTS_WRITE,
        "destroy": Permission.TENANTS_WRITE,
        "suspend": Permission.TENANTS_WRITE,
        "resume": Permission.TENANTS_WRITE,
        "restore": Permission.TENANTS_WRITE,
        "add_domain": Permission.TENANTS_WRITE,
        "remove_domain": Permission.TENANTS_WRITE,
    }
    serializer_class = TenantSerializer
    queryset = Tenant.objects.all()
    what = "tenant"

    def get_queryset(self) -> QuerySet[Tenant]:
        return super().get_queryset().prefetch_related("domains")

    @extend_schema(summary="List tenants", parameters=[TenantFilters])
    def list(self, request: Request) -> Response:
        """The newest first; deleted ones are listed until they are purged."""
        filters = asked(TenantFilters, request)
        rows = self.get_queryset()
        for name in ("status", "service_tier"):
            if name in filters:
                rows = rows.filter(**{name: filters[name]})
        if text := filters.get("search"):
            named = Q(name__icontains=text) | Q(slug__icontains=text)
            hosted = Q(pk__in=Domain.objects.filter(domain__icontains=text).values("tenant_id"))
            rows = rows.filter(named | hosted)
        return self.listed(rows)

    @extend_schema(summary="Create a tenant", request=TenantFields, responses={201: TenantSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """It is ready when this answers."""
        return self.created(create_tenant(**checked(TenantFields, request)))

    @extend_schema(summary="Retrieve a tenant")
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One tenant."""
        return self.shown(self.found(pk))

    @extend_schema(summary="Change a tenant", request=TenantChanges, responses={200: TenantSerializer})
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Its name, tier, metadata, which is replaced as a whole, or limits, of which those that aren't named stay.

        All servers follow within seconds.
        """
        with transaction.atomic():
            row = self.found_as_seen(request, pk)
            doors.change_tenant(tenant=row, **checked(TenantChanges, request, partial=True))
        return self.shown(self.found(pk))

    @extend_schema(summary="Delete a tenant", responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Its doors close within seconds. For 30 days it can be restored; then everything of it is removed."""
        removal.delete_tenant(tenant=self.found(pk))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(summary="Suspend a tenant", request=None, responses={200: TenantSerializer})
    @action(detail=True, methods=["post"])
    def suspend(self, request: Request, pk: UUID) -> Response:
        """Every request is refused within seconds; nothing is lost."""
        return self._moved(pk, doors.suspend_tenant)

    @extend_schema(summary="Resume a tenant", request=None, responses={200: TenantSerializer})
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: UUID) -> Response:
        """A suspended tenant's doors open again."""
        return self._moved(pk, doors.resume_tenant)

    @extend_schema(summary="Restore a tenant", request=None, responses={200: TenantSerializer})
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: UUID) -> Response:
        """A deleted tenant is back as it was, within 30 days of its deletion."""
        return self._moved(pk, removal.restore_tenant)

    @extend_schema(summary="Add a hostname", request=DomainFields, responses={201: DomainSerializer})
    @action(detail=True, methods=["post"], url_path="domains", url_name="domains")
    @idempotent
    def add_domain(self, request: Request, pk: UUID) -> Response:
        """A further hostname that leads to the tenant."""
        row = doors.add_domain(tenant=self.found(pk), **checked(DomainFields, request))
        return Response(DomainSerializer(row).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Remove a hostname", responses={204: None})
    @action(detail=True, methods=["delete"], url_path="domains/<uuid:domain>", url_name="domain")
    def remove_domain(self, request: Request, pk: UUID, domain: UUID) -> Response:
        """A tenant keeps at least one."""
        row = Domain.objects.filter(tenant_id=pk, pk=domain).first()
        if row is None:
            raise NotFound("hostname")
        doors.remove_domain(domain=row)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _moved(self, pk: UUID, move: Callable[..., Any]) -> Response:
        move(tenant=self.found(pk))
        return self.shown(self.found(pk))
