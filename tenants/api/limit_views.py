"""A tenant's limits, for its own people and programs: to be read. Operators set them, at the tenant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from tenants.api.limit_serializers import LimitsInForce
from tenants.limits import LIMITS
from tenants.permissions import Permission


@extend_schema(tags=["Usage"])
class LimitsViewSet(ViewSet):
    """How much the company may use at a time."""

    permissions: ClassVar[Mapping[str, Permission]] = {"retrieve": Permission.USAGE_READ}

    @extend_schema(summary="Retrieve limits", responses={200: LimitsInForce})
    def retrieve(self, request: Request) -> Response:
        """What holds now, be it set for this company or the same for all."""
        return Response({name: limit.in_force() for name, limit in LIMITS.items()})
