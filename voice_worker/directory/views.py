"""Phone numbers over the operators' REST."""

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
from tenants.permissions import Permission
from voice_worker.directory.domain import assign_number, withdraw_number
from voice_worker.directory.models import PhoneNumber


class PhoneNumberSerializer(serializers.ModelSerializer[PhoneNumber]):
    """A number, and who answers."""

    tenant = serializers.UUIDField(source="tenant_id", read_only=True)
    agent = serializers.UUIDField(source="agent_id", read_only=True)

    class Meta:
        model = PhoneNumber
        fields: ClassVar[list[str]] = ["id", "number", "tenant", "agent", "created_at"]
        read_only_fields: ClassVar[list[str]] = fields


class PhoneNumberFields(serializers.Serializer[dict[str, Any]]):
    """A new one."""

    number = serializers.CharField(max_length=30, help_text="With its country's code: `+49 30 123456`.")
    tenant = serializers.UUIDField(source="tenant_id", help_text="Whose agent answers.")
    agent = serializers.UUIDField(source="agent_id", help_text="Which one.")


@extend_schema(tags=["Phone numbers"])
class PhoneNumberViewSet(mixins.ListModelMixin, Resource[PhoneNumber]):
    """The numbers that agents answer. A call to any other is refused."""

    permissions: ClassVar[Mapping[str, Permission]] = {
        "list": Permission.TENANTS_READ,
        "retrieve": Permission.TENANTS_READ,
        "create": Permission.TENANTS_WRITE,
        "destroy": Permission.TENANTS_WRITE,
    }
    serializer_class = PhoneNumberSerializer
    queryset = PhoneNumber.objects.all()
    what = "phone number"

    @extend_schema(summary="List phone numbers")
    def list(self, request: Request) -> Response:
        """All of them."""
        return super().list(request)

    @extend_schema(summary="Assign a phone number", request=PhoneNumberFields, responses={201: PhoneNumberSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """From now on the tenant's agent answers it."""
        return self.created(assign_number(**checked(PhoneNumberFields, request)))

    @extend_schema(summary="Retrieve a phone number")
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One of them."""
        return self.shown(self.found(pk))

    @extend_schema(summary="Withdraw a phone number", responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Nobody answers it any more."""
        withdraw_number(number=self.found(pk))
        return Response(status=status.HTTP_204_NO_CONTENT)
