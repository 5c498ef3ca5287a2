"""The tenant's API keys. Their table stands in the public schema: every query here names the tenant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.request import Request
from rest_framework.response import Response

from switchboard.kernel.idempotency import idempotent
from switchboard.kernel.resources import checked
from tenants.api.resources import Resource
from tenants.api.serializers import ApiKeyFields, ApiKeySerializer, NewApiKeySerializer
from tenants.context import tenant_id
from tenants.domain.api_keys import create_api_key, revoke_api_key
from tenants.models import ApiKey, Tenant
from tenants.permissions import Permission


@extend_schema(tags=["API keys"])
class ApiKeyViewSet(mixins.ListModelMixin, Resource[ApiKey]):
    """Keys with which programs call the API."""

    permissions: ClassVar[Mapping[str, Permission]] = {
        "list": Permission.KEYS_READ,
        "create": Permission.KEYS_WRITE,
        "retrieve": Permission.KEYS_READ,
        "destroy": Permission.KEYS_WRITE,
    }
    serializer_class = ApiKeySerializer
    queryset = ApiKey.objects.none()
    what = "API key"

    def get_queryset(self) -> QuerySet[ApiKey]:
        return ApiKey.objects.filter(tenant_id=tenant_id())

    @extend_schema(summary="List API keys")
    def list(self, request: Request) -> Response:
        """All keys of the company, those that were revoked included. The keys themselves are never shown again."""
        return super().list(request)

    @extend_schema(summary="Create an API key", request=ApiKeyFields, responses={201: NewApiKeySerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """The answer holds the key: the only time it is shown."""
        fields = checked(ApiKeyFields, request)
        row, key = create_api_key(tenant=Tenant.objects.get(pk=tenant_id()), **fields)
        data = {**self.get_serializer(row).data, "key": key}
        return Response(data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Retrieve an API key")
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One key, without its secret."""
        return self.shown(self.found(pk))

    @extend_schema(summary="Revoke an API key", responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Within seconds every server refuses the key. Revoking it again changes nothing."""
        revoke_api_key(key=self.found(pk))
        return Response(status=status.HTTP_204_NO_CONTENT)
