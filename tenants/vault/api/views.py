"""The tenant's secrets over REST."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.request import Request
from rest_framework.response import Response

from switchboard.kernel.idempotency import idempotent
from switchboard.kernel.resources import Resource, checked
from tenants.permissions import Permission
from tenants.vault.api.serializers import SecretChanges, SecretFields, SecretSerializer
from tenants.vault.domain.vault import change_secret, create_secret, delete_secret
from tenants.vault.models import Secret


@extend_schema(tags=["Secrets"])
class SecretViewSet(mixins.ListModelMixin, Resource[Secret]):
    """What tools and endpoints need to sign in elsewhere. A value is written, used, and never shown."""

    permissions: ClassVar[Mapping[str, Permission]] = {
        "list": Permission.SECRETS_READ,
        "retrieve": Permission.SECRETS_READ,
        "create": Permission.SECRETS_WRITE,
        "partial_update": Permission.SECRETS_WRITE,
        "destroy": Permission.SECRETS_WRITE,
    }
    serializer_class = SecretSerializer
    # The value isn't even read.
    queryset = Secret.objects.defer("value")
    what = "secret"

    @extend_schema(summary="List secrets")
    def list(self, request: Request) -> Response:
        """Their names and kinds."""
        return super().list(request)

    @extend_schema(summary="Create a secret", request=SecretFields, responses={201: SecretSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """It is encrypted, and can't be had again."""
        return self.created(create_secret(**checked(SecretFields, request)))

    @extend_schema(summary="Retrieve a secret")
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One secret, without its value."""
        return self.shown(self.found(pk))

    @extend_schema(summary="Change a secret", request=SecretChanges, responses={200: SecretSerializer})
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """A new value is used from the next call on."""
        with transaction.atomic():
            row = self.found_as_seen(request, pk)
            change_secret(secret=row, **checked(SecretChanges, request, partial=True))
        return self.shown(self.found(pk))

    @extend_schema(summary="Delete a secret", responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Its value is gone with it; one that is in use is kept (409)."""
        delete_secret(secret=self.found(pk))
        return Response(status=status.HTTP_204_NO_CONTENT)
