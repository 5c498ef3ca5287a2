"""Feature flags over REST: a tenant's own on its host, the operators' for all tenants on the platform's.

Thin: the rules are in tenants.flags.domain.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from switchboard.kernel.idempotency import idempotent
from switchboard.kernel.resources import Resource, asked, checked
from tenants.context import PUBLIC, current_scope
from tenants.flags import current
from tenants.flags.api.serializers import (
    EvaluationFields,
    EvaluationSerializer,
    FlagChanges,
    FlagFields,
    FlagFilters,
    FlagSerializer,
)
from tenants.flags.domain.flags import create_flag, delete_flag, restore_flag, update_flag
from tenants.flags.evaluation import Context, TenantFacts
from tenants.flags.models import Flag
from tenants.permissions import Permission


@extend_schema(tags=["Flags"])
class FlagViewSet(mixins.ListModelMixin, Resource[Flag]):
    """Feature flags of the company; on the platform's host the operators', for all companies."""

    serializer_class = FlagSerializer
    queryset = Flag.objects.all()
    what = "flag"
    permissions = {
        "list": Permission.FLAGS_READ,
        "retrieve": Permission.FLAGS_READ,
        "evaluate": Permission.FLAGS_READ,
        "create": Permission.FLAGS_WRITE,
        "partial_update": Permission.FLAGS_WRITE,
        "destroy": Permission.FLAGS_WRITE,
        "restore": Permission.FLAGS_WRITE,
    }

    def get_queryset(self) -> QuerySet[Flag]:
        rows = super().get_queryset()
        return rows if self.action == "restore" else rows.filter(deleted_at=None)

    @extend_schema(summary="List flags", parameters=[FlagFilters])
    def list(self, request: Request) -> Response:
        """Newest first."""
        wanted = asked(FlagFilters, request)
        rows = Flag.objects.filter(deleted_at__isnull=not wanted["deleted"])
        return self.listed(rows.filter(**{name: wanted[name] for name in ("key", "enabled") if name in wanted}))

    @extend_schema(summary="Create a flag", request=FlagFields, responses={201: FlagSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Without rules it is what its `default` says, which is off unless you say otherwise."""
        return self.created(create_flag(**checked(FlagFields, request)))

    @extend_schema(summary="Retrieve a flag")
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One flag; its ETag goes into If-Match of a change."""
        return self.shown(self.found(pk))

    @extend_schema(summary="Change a flag", request=FlagChanges, responses=FlagSerializer)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Fields that are left out stay as they are. With If-Match, a change made meanwhile is not overwritten."""
        changes = checked(FlagChanges, request, partial=True)
        with transaction.atomic():
            update_flag(flag=self.found_as_seen(request, pk), **changes)
        return self.shown(self.found(pk))

    @extend_schema(summary="Delete a flag", responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Whoever asks about it is told that it is off. It can be restored."""
        with transaction.atomic():
            delete_flag(flag=self.found_as_seen(request, pk))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(summary="Restore a flag", request=None, responses=FlagSerializer)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: UUID) -> Response:
        """A deleted flag comes back as it was."""
        return self.shown(restore_flag(flag=self.found(pk)))

    @extend_schema(summary="Evaluate a flag", request=EvaluationFields, responses=EvaluationSerializer)
    def evaluate(self, request: Request, key: str) -> Response:
        """Whether the flag is on for somebody, and why. A flag that isn't there is off: `unknown_flag`.

        On the platform's host there is no company: tier and metadata are those that the request supposes.
        """
        fields = checked(EvaluationFields, request)
        own = current.facts_of(current_scope() or PUBLIC)
        facts = TenantFacts(fields.pop("tier", own.tier), fields.pop("metadata", own.metadata))
        at: Any = fields.pop("at", None)
        answer = current.evaluate(key, Context(**fields), facts=facts, now=at.timestamp() if at else None)
        return Response(EvaluationSerializer(answer).data)
