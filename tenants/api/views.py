"""API keys: a tenant's, and the platform's own. Their table stands in the public schema: every query says whose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from switchboard.kernel.idempotency import idempotent
from switchboard.kernel.resources import checked
from tenants.api.resources import Resource
from tenants.api.serializers import (
    ApiKeyFields,
    ApiKeySerializer,
    NewApiKeySerializer,
    PlatformKeyFields,
    RotationFields,
)
from tenants.context import tenant_id
from tenants.domain.api_keys import create_api_key, revoke_api_key, rotate_api_key
from tenants.models import ApiKey, Tenant
from tenants.permissions import Permission


@extend_schema(tags=["API keys"])
class ApiKeyViewSet(mixins.ListModelMixin, Resource[ApiKey]):
    """Keys with which programs call the API."""

    permissions: ClassVar[Mapping[str, Permission]] = {
        "list": Permission.KEYS_READ,
        "create": Permission.KEYS_WRITE,
        "rotate": Permission.KEYS_WRITE,
        "retrieve": Permission.KEYS_READ,
        "destroy": Permission.KEYS_WRITE,
    }
    serializer_class = ApiKeySerializer
    queryset = ApiKey.objects.none()
    what = "API key"

    def get_queryset(self) -> QuerySet[ApiKey]:
        return ApiKey.objects.filter(tenant_id=tenant_id())

    def owner(self) -> Tenant | None:
        """Whose the keys are that are made here."""
        row: Tenant = Tenant.objects.get(pk=tenant_id())
        return row

    @extend_schema(summary="List API keys")
    def list(self, request: Request) -> Response:
        """All keys of the company, those that were revoked included. The keys themselves are never shown again."""
        return super().list(request)

    @extend_schema(summary="Create an API key", request=ApiKeyFields, responses={201: NewApiKeySerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """The answer holds the key: the only time it is shown. Nobody gives a key what they may not do themselves."""
        return self._create(request, ApiKeyFields)

    @extend_schema(summary="Rotate an API key", request=RotationFields, responses={201: NewApiKeySerializer})
    @action(detail=True, methods=["post"])
    @idempotent
    def rotate(self, request: Request, pk: UUID) -> Response:
        """The answer holds a new key with the same scopes. The old one goes on for `hours`, so that no call fails."""
        row, key = rotate_api_key(key=self.found(pk), by=request.user, **checked(RotationFields, request))
        return self._with_secret(row, key)

    @extend_schema(summary="Retrieve an API key")
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One key, without its secret."""
        return self.shown(self.found(pk))

    @extend_schema(summary="Revoke an API key", responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Within seconds every server refuses the key. Revoking it again changes nothing."""
        revoke_api_key(key=self.found(pk))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _create(self, request: Request, fields: type[ApiKeyFields]) -> Response:
        row, key = create_api_key(tenant=self.owner(), by=request.user, **checked(fields, request))
        return self._with_secret(row, key)

    def _with_secret(self, row: ApiKey, key: str) -> Response:
        return Response({**self.get_serializer(row).data, "key": key}, status=status.HTTP_201_CREATED)


@extend_schema(tags=["Platform keys"])
class PlatformKeyViewSet(ApiKeyViewSet):
    """The platform's own keys, with which its operators' programs see to tenants. They open nothing of a tenant's."""

    what = "platform key"

    def get_queryset(self) -> QuerySet[ApiKey]:
        return ApiKey.objects.filter(tenant=None)

    def owner(self) -> Tenant | None:
        return None

    @extend_schema(summary="Create a platform key", request=PlatformKeyFields, responses={201: NewApiKeySerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """The answer holds the key: the only time it is shown."""
        return self._create(request, PlatformKeyFields)
