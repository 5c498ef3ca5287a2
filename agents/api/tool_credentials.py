"""Contacts' own credentials for tools over REST: given and taken back, never shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from agents.domain.tool_credentials import LONGEST_BYTES, put_credential, remove_credential
from agents.models import Tool, ToolCredential
from switchboard.kernel.problems import Invalid, NotFound
from switchboard.kernel.resources import checked
from tenants.api.resources import Resource
from tenants.permissions import Permission

_LONGEST_CONTACT = 200


class ToolCredentialSerializer(serializers.ModelSerializer[ToolCredential]):
    """That there is one."""

    tool = serializers.SlugRelatedField[Tool](slug_field="slug", read_only=True)

    class Meta:
        model = ToolCredential
        fields: ClassVar = ["contact", "tool", "expires_at", "updated_at"]
        read_only_fields: ClassVar = fields


class ToolCredentialFields(serializers.Serializer[dict[str, Any]]):
    """What a tool signs in with when it acts for the contact."""

    value = serializers.CharField(
        write_only=True, trim_whitespace=False, max_length=LONGEST_BYTES, help_text="It can't be read again."
    )
    expires_at = serializers.DateTimeField(
        default=None, allow_null=True, help_text="From then on the tool is refused for the contact."
    )


@extend_schema(tags=["Tools"])
class ToolCredentialViewSet(Resource[ToolCredential]):
    """What a tool signs in with for one contact, in place of its own secret: a token of theirs at your service."""

    permissions: ClassVar[Mapping[str, Permission]] = {
        "put": Permission.SECRETS_WRITE,
        "destroy": Permission.SECRETS_WRITE,
    }
    serializer_class = ToolCredentialSerializer
    queryset = ToolCredential.objects.defer("value")
    what = "credential"

    @extend_schema(
        operation_id="tool_credentials_put",
        summary="Give a contact's credential for a tool",
        request=ToolCredentialFields,
        responses={200: ToolCredentialSerializer, 201: ToolCredentialSerializer},
    )
    def put(self, request: Request, contact: str, tool: str) -> Response:
        """`tool` is its slug. It is encrypted, used from the next call on, and takes the place of what was there."""
        row, is_new = put_credential(
            tool=_tool(tool), contact=_contact(contact), **checked(ToolCredentialFields, request)
        )
        found = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(self.get_serializer(row).data, status=found)

    @extend_schema(
        operation_id="tool_credentials_destroy",
        summary="Take a contact's credential for a tool back",
        responses={204: None},
    )
    def destroy(self, request: Request, contact: str, tool: str) -> Response:
        """The tool's own secret is used again, if it has one."""
        remove_credential(tool=_tool(tool), contact=_contact(contact))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _tool(slug: str) -> Tool:
    row = Tool.objects.filter(slug=slug, deleted_at=None).first() if "\x00" not in slug else None
    if row is None:
        raise NotFound("tool")
    return row


def _contact(name: str) -> str:
    if len(name) > _LONGEST_CONTACT or "\x00" in name:
        raise Invalid(
            "invalid_contact", f"A contact's name has at most {_LONGEST_CONTACT} characters.", field="contact"
        )
    return name
