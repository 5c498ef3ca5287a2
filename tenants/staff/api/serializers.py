"""Members and invitations as the REST API shows and takes them."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from tenants.staff.models import Invitation, ObjectGrant, Role, User


class MemberSerializer(serializers.ModelSerializer[User]):
    """Somebody who works here."""

    has_second_factor = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields: ClassVar = [
            "id",
            "username",
            "first_name",
            "last_name",
            "email",
            "role",
            "is_active",
            "has_second_factor",
            "last_login",
            "date_joined",
        ]
        read_only_fields: ClassVar = fields

    def get_has_second_factor(self, row: User) -> bool:
        return row.second_factor_since is not None


class MemberFields(serializers.Serializer[dict[str, Any]]):
    """What may be changed of a member."""

    first_name = serializers.CharField(max_length=150, required=False, allow_blank=True)
    last_name = serializers.CharField(max_length=150, required=False, allow_blank=True)
    email = serializers.EmailField(required=False, allow_blank=True)
    role = serializers.ChoiceField(choices=Role.choices, required=False)
    is_active = serializers.BooleanField(required=False, help_text="Whether they may sign in.")


class MemberFilters(serializers.Serializer[dict[str, Any]]):
    """Which members."""

    role = serializers.ChoiceField(choices=Role.choices, required=False)
    is_active = serializers.BooleanField(required=False, allow_null=True, default=None)
    email = serializers.EmailField(required=False)


class GrantSerializer(serializers.ModelSerializer[ObjectGrant]):
    """A role on one object."""

    class Meta:
        model = ObjectGrant
        fields: ClassVar = ["id", "object_type", "object_id", "role", "created_at"]
        read_only_fields: ClassVar = fields


class GrantFields(serializers.Serializer[dict[str, Any]]):
    """What a grant is made of."""

    object_type = serializers.CharField(max_length=60, help_text="`agents.agent` or `knowledge.collection`.")
    object_id = serializers.UUIDField()
    role = serializers.ChoiceField(choices=Role.choices)


class InvitationSerializer(serializers.ModelSerializer[Invitation]):
    """An invitation, without its link."""

    class Meta:
        model = Invitation
        fields: ClassVar = ["id", "email", "role", "created_at", "expires_at", "accepted_at", "revoked_at"]
        read_only_fields: ClassVar = fields


class NewInvitationSerializer(InvitationSerializer):
    """An invitation as it is answered once."""

    link = serializers.CharField(
        read_only=True, allow_null=True, help_text="Only where no mail server is set up: pass it on. It is shown once."
    )

    class Meta(InvitationSerializer.Meta):
        fields: ClassVar = [*InvitationSerializer.Meta.fields, "link"]
        read_only_fields: ClassVar = fields


class InvitationFields(serializers.Serializer[dict[str, Any]]):
    """Who is invited, as what."""

    email = serializers.EmailField()
    role = serializers.ChoiceField(choices=Role.choices, default=Role.VIEWER)
