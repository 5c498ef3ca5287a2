"""Agents, their releases and endpoints as the REST API shows and takes them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from agents.domain.releases import LOCAL_MODEL
from agents.models import Agent, ModelEndpoint, Release


class AgentSerializer(serializers.ModelSerializer[Agent]):
    """A named assistant. What it does is its live release's to say."""

    live_release = serializers.UUIDField(source="live_release_id", allow_null=True)

    class Meta:
        model = Agent
        fields = ["id", "name", "slug", "welcome", "suggested_questions", "live_release", "created_at"]
        read_only_fields = fields


class AgentFields(serializers.Serializer[dict[str, Any]]):
    """What describes an agent."""

    name = serializers.CharField(max_length=120)
    slug = serializers.SlugField(max_length=60)
    welcome = serializers.CharField(max_length=4000, required=False, allow_blank=True)
    suggested_questions = serializers.ListField(
        child=serializers.CharField(max_length=200), max_length=8, required=False
    )


class ReleaseSerializer(serializers.ModelSerializer[Release]):
    """What an agent does, fixed for ever."""

    agent = serializers.UUIDField(source="agent_id")
    endpoint = serializers.UUIDField(source="endpoint_id", allow_null=True)
    created_by = serializers.UUIDField(source="created_by_id", allow_null=True)

    class Meta:
        model = Release
        fields = [
            "id",
            "agent",
            "number",
            "prompt",
            "model",
            "endpoint",
            "temperature",
            "max_tokens",
            "collection_ids",
            "message",
            "created_by",
            "created_at",
        ]
        read_only_fields = fields


class ReleaseFields(serializers.Serializer[dict[str, Any]]):
    """What a release is made of."""

    prompt = serializers.CharField(max_length=100_000)
    model = serializers.CharField(max_length=120, default=LOCAL_MODEL)
    endpoint = serializers.UUIDField(
        required=False, allow_null=True, default=None, help_text="Where the model is reached; none for `local`."
    )
    temperature = serializers.FloatField(min_value=0, max_value=2, default=0.2)
    max_tokens = serializers.IntegerField(min_value=1, max_value=32_000, default=1024)
    collection_ids = serializers.ListField(child=serializers.UUIDField(), max_length=100, default=list)
    message = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
    go_live = serializers.BooleanField(default=False, help_text="Put it live at once.")


class EndpointSerializer(serializers.ModelSerializer[ModelEndpoint]):
    """Where language models are reached. Its key is taken and never shown."""

    has_api_key = serializers.SerializerMethodField()

    class Meta:
        model = ModelEndpoint
        fields = ["id", "name", "base_url", "has_api_key", "created_at"]
        read_only_fields = fields

    def get_has_api_key(self, endpoint: ModelEndpoint) -> bool:
        return bool(endpoint.api_key)


class EndpointFields(serializers.Serializer[dict[str, Any]]):
    """What an endpoint is made of."""

    name = serializers.CharField(max_length=80)
    base_url = serializers.CharField(max_length=500, help_text="Up to and including /v1.")
    api_key = serializers.CharField(
        max_length=500, required=False, allow_blank=True, write_only=True, help_text="Left out of a change: it stays."
    )
