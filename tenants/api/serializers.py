"""API keys as the REST API shows them."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from tenants.domain.api_keys import MOST_OVERLAP_HOURS, OVERLAP_HOURS, TENANT_SCOPES
from tenants.models import ApiKey
from tenants.permissions import PLATFORM_SCOPES

SCOPES = sorted(scope.value for scope in TENANT_SCOPES)


class ApiKeySerializer(serializers.ModelSerializer[ApiKey]):
    """A key without its secret."""

    scopes = serializers.ListField(child=serializers.CharField(), read_only=True, help_text="The permissions it has.")
    replaced_by = serializers.UUIDField(
        source="replaced_by_id", read_only=True, allow_null=True, help_text="The key that a rotation made."
    )

    class Meta:
        model = ApiKey
        fields = [
            "id",
            "name",
            "kind",
            "prefix",
            "scopes",
            "created_at",
            "last_used_at",
            "expires_at",
            "revoked_at",
            "replaced_by",
        ]
        read_only_fields = fields


class NewApiKeySerializer(ApiKeySerializer):
    """A key as it is shown once."""

    key = serializers.CharField(read_only=True, help_text="The key itself. It can't be had again.")

    class Meta(ApiKeySerializer.Meta):
        fields = [*ApiKeySerializer.Meta.fields, "key"]
        read_only_fields = fields


class ApiKeyFields(serializers.Serializer[dict[str, Any]]):
    """What a new key is made of."""

    name = serializers.CharField(max_length=80)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=SCOPES),
        required=False,
        allow_null=True,
        default=None,
        min_length=1,
        max_length=len(SCOPES),
        help_text="What it may do, of what the caller may; all of that where absent.",
    )
    kind = serializers.ChoiceField(
        choices=ApiKey.Kind.choices,
        default=ApiKey.Kind.BEARER,
        help_text="A `signing` key never travels: its secret signs calls (Standard Webhooks), its prefix names it.",
    )
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)

    def validate_expires_at(self, value: Any) -> Any:
        if value is not None and value <= timezone.now():
            raise serializers.ValidationError("This moment has passed.")
        return value


class PlatformKeyFields(ApiKeyFields):
    """What a new platform key is made of."""

    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=sorted(scope.value for scope in PLATFORM_SCOPES)),
        required=False,
        allow_null=True,
        default=None,
        min_length=1,
        max_length=len(PLATFORM_SCOPES),
        help_text="What it may do; everything a platform key can where absent.",
    )


class RotationFields(serializers.Serializer[dict[str, Any]]):
    """How a key is rotated."""

    hours = serializers.IntegerField(
        min_value=0,
        max_value=MOST_OVERLAP_HOURS,
        default=OVERLAP_HOURS,
        help_text="How long the old key goes on beside the new one; 0 ends it at once.",
    )
