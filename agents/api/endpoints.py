"""Model endpoints over REST. Thin: the rules are in agents.domain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.endpoint_serializers import (
    EndpointFields,
    EndpointSerializer,
)
from agents.domain.endpoints import create_endpoint, delete_endpoint, update_endpoint
from agents.models import ModelEndpoint
from agents.providers import is_own_address
from switchboard.kernel.idempotency import idempotent
from switchboard.kernel.resources import checked
from tenants.api.resources import Resource
from tenants.permissions import Permission


@extend_schema(tags=["Endpoints"])
class EndpointViewSet(mixins.ListModelMixin, Resource[ModelEndpoint]):
    """Where models are reached that answer, hear or speak: at OpenAI, Anthropic, Google, Groq, Deepgram, Cartesia,
    ElevenLabs, Rime, or at a server that speaks as OpenAI's does.
    """

    permissions: ClassVar[Mapping[str, Permission]] = {
        "list": Permission.SECRETS_READ,
        "create": Permission.SECRETS_WRITE,
        "retrieve": Permission.SECRETS_READ,
        "partial_update": Permission.SECRETS_WRITE,
        "destroy": Permission.SECRETS_WRITE,
    }
    serializer_class = EndpointSerializer
    queryset = ModelEndpoint.objects.all()
    what = "endpoint"

    @extend_schema(summary="List endpoints")
    def list(self, request: Request) -> Response:
        """Newest first."""
        return super().list(request)

    @extend_schema(summary="Create an endpoint", request=EndpointFields, responses={201: EndpointSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Its key is stored encrypted and never shown. Whether the address may be reached is judged at each request."""
        return self.created(create_endpoint(**checked(EndpointFields, request)))

    @extend_schema(summary="Retrieve an endpoint")
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One endpoint, without its key."""
        return self.shown(self.found(pk))

    @extend_schema(summary="Change an endpoint", request=EndpointFields, responses=EndpointSerializer)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Fields that are left out stay as they are, the key among them."""
        changes = checked(EndpointFields, request, partial=True)
        with transaction.atomic():
            row = self.found_as_seen(request, pk)
            # At another provider the old one's address is of no use.
            moves = is_own_address(row.provider, row.base_url) and changes.get("provider", row.provider) != row.provider
            known = {"name": row.name, "base_url": "" if moves else row.base_url}
            update_endpoint(endpoint=row, **{**known, **changes})
        return self.shown(self.found(pk))

    @extend_schema(summary="Delete an endpoint", responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Only one that no release names: `endpoint_in_use` otherwise."""
        delete_endpoint(endpoint=self.found(pk))
        return Response(status=status.HTTP_204_NO_CONTENT)
