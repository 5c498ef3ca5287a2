"""The ledger over REST: read only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.request import Request
from rest_framework.response import Response

from billing.api.serializers import UsageFilters, UsageSerializer
from billing.models import UsageEvent
from switchboard.kernel.resources import asked
from tenants.api.resources import Resource
from tenants.permissions import Permission

_LOOKUPS: Final = {
    "conversation": "conversation_id",
    "turn": "turn_id",
    "release": "release_id",
    "since": "created_at__gte",
    "until": "created_at__lt",
}


@extend_schema(tags=["Usage"])
class UsageViewSet(mixins.ListModelMixin, Resource[UsageEvent]):
    """What was used, and what it cost."""

    permissions: ClassVar[Mapping[str, Permission]] = {
        "list": Permission.USAGE_READ,
    }
    serializer_class = UsageSerializer
    queryset = UsageEvent.objects.all()
    what = "usage event"

    @extend_schema(summary="List usage", parameters=[UsageFilters])
    def list(self, request: Request) -> Response:
        """Newest first; every metered use by itself, never a sum."""
        filters = asked(UsageFilters, request)
        rows = self.get_queryset().filter(**{_LOOKUPS.get(name, name): value for name, value in filters.items()})
        return self.listed(rows)
