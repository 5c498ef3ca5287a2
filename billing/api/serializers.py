"""Metered use as the REST API shows it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from billing.models import UsageEvent


class UsageSerializer(serializers.ModelSerializer[UsageEvent]):
    """One metered use. `cost_usd` is in US dollars, and null where no price is known.

    What isn't counted in tokens has a `quantity` and its `unit`: seconds that were heard, characters that were spoken,
    frames that were looked at.
    """

    conversation = serializers.UUIDField(source="conversation_id", allow_null=True)
    turn = serializers.UUIDField(source="turn_id", allow_null=True)
    release = serializers.UUIDField(source="release_id", allow_null=True)

    class Meta:
        model = UsageEvent
        fields = [
            "id",
            "service",
            "provider",
            "model",
            "purpose",
            "input_tokens",
            "cached_tokens",
            "output_tokens",
            "quantity",
            "unit",
            "is_estimated",
            "cost_usd",
            "conversation",
            "turn",
            "release",
            "created_at",
        ]
        read_only_fields = fields


class UsageFilters(serializers.Serializer[dict[str, Any]]):
    """What the ledger can be narrowed down by. Times are RFC 3339; `until` itself is left out."""

    service = serializers.ChoiceField(choices=UsageEvent.Service.choices, required=False)
    purpose = serializers.CharField(max_length=20, required=False)
    provider = serializers.CharField(max_length=80, required=False)
    model = serializers.CharField(max_length=120, required=False)
    conversation = serializers.UUIDField(required=False)
    turn = serializers.UUIDField(required=False)
    release = serializers.UUIDField(required=False)
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)
