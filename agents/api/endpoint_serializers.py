"""Model endpoints as the REST API shows and takes them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from agents.models import ModelEndpoint
from agents.providers import CHOICES


class EndpointSerializer(serializers.ModelSerializer[ModelEndpoint]):
    """Where models are reached that answer, hear or speak. Its key is taken and never shown; without one, the
    platform's is used at the provider's own address.
    """

    has_api_key = serializers.SerializerMethodField()

    class Meta:
        model = ModelEndpoint
        fields = ["id", "name", "provider", "base_url", "has_api_key", "created_at"]
        read_only_fields = fields

    def get_has_api_key(self, endpoint: ModelEndpoint) -> bool:
        return bool(endpoint.api_key)


class EndpointFields(serializers.Serializer[dict[str, Any]]):
    """What an endpoint is made of."""

    name = serializers.CharField(max_length=80)
    provider = serializers.ChoiceField(
        choices=CHOICES, required=False, help_text="Whose protocol it speaks; `openai_compatible` if left out."
    )
    base_url = serializers.CharField(
        max_length=500,
        required=False,
        allow_blank=True,
        help_text="Up to and including /v1. Left out or empty: the provider's own address.",
    )
    api_key = serializers.CharField(
        max_length=4000, required=False, allow_blank=True, write_only=True, help_text="Left out of a change: it stays."
    )
