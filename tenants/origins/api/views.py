"""Allowed origins over REST."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from switchboard.kernel.idempotency import idempotent
from switchboard.kernel.resources import checked
from tenants.api.resources import Resource
from tenants.origins.domain.origins import allow_origin, disallow_origin
from tenants.origins.models import AllowedOrigin
from tenants.permissions import Permission


class OriginSerializer(serializers.ModelSerializer[AllowedOrigin]):
    """An origin."""

    class Meta:
        model = AllowedOrigin
        fields: ClassVar[list[str]] = ["id", "origin", "created_at"]
        read_only_fields: ClassVar[list[str]] = fields


class OriginFields(serializers.Serializer[dict[str, Any]]):
    """A new one."""

    origin = serializers.CharField(max_length=300, help_text="`https://www.example.com` or `https://*.example.com`.")


@extend_schema(tags=["Allowed origins"])
class OriginViewSet(mixins.ListModelMixin, Resource[AllowedOrigin]):
    """The web pages from which the API may be called (CORS). They mean nothing to any other company."""

    permissions: ClassVar[Mapping[str, Permission]] = {
        "list": Permission.SETTINGS_READ,
        "retrieve": Permission.SETTINGS_READ,
        "create": Permission.SETTINGS_WRITE,
        "destroy": Permission.SETTINGS_WRITE,
    }
    serializer_class = OriginSerializer
    queryset = AllowedOrigin.objects.all()
    what = "origin"

    @extend_schema(summary="List allowed origins")
    def list(self, request: Request) -> Response:
        """All of them."""
        return super().list(request)

    @extend_schema(summary="Allow an origin", request=OriginFields, responses={201: OriginSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Its pages may call the API within seconds, with a token or a key of their own, never with a session."""
        return self.created(allow_origin(**checked(OriginFields, request)))

    @extend_schema(summary="Retrieve an allowed origin")
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One of them."""
        return self.shown(self.found(pk))

    @extend_schema(summary="Take back an allowed origin", responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Browsers may remember a preflight for ten minutes."""
        disallow_origin(origin=self.found(pk))
        return Response(status=status.HTTP_204_NO_CONTENT)
