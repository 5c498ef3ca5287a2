"""Voice sessions as the REST API shows them."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from voice_worker.models import TimelineEntry, VoiceSession


class VoiceSessionSerializer(serializers.ModelSerializer[VoiceSession]):
    """One agent at work with its ears and voice."""

    agent_id = serializers.UUIDField(source="conversation.agent_id", read_only=True)
    is_recorded = serializers.BooleanField(read_only=True, help_text="Whether there is a recording of it.")
    turns = serializers.IntegerField(read_only=True, help_text="How many things that were said were answered.")
    cost_usd = serializers.DecimalField(
        max_digits=18, decimal_places=8, read_only=True, allow_null=True, help_text="Null: no price known."
    )

    class Meta:
        model = VoiceSession
        fields: ClassVar = [
            "id", "conversation_id", "agent_id", "meeting_id", "release_id", "channel", "status", "end_reason",
            "is_recorded", "turns", "cost_usd", "started_at", "ended_at",
        ]  # fmt: skip
        read_only_fields: ClassVar = fields


class VoiceSessionFilters(serializers.Serializer[dict[str, Any]]):
    """Which sessions."""

    status = serializers.ChoiceField(choices=VoiceSession.Status.choices, required=False)
    channel = serializers.ChoiceField(choices=VoiceSession.Channel.choices, required=False)
    conversation = serializers.UUIDField(required=False)
    meeting = serializers.UUIDField(required=False)
    agent = serializers.UUIDField(required=False)
    started_after = serializers.DateTimeField(required=False)
    started_before = serializers.DateTimeField(required=False)


class TimelineEntrySerializer(serializers.ModelSerializer[TimelineEntry]):
    """Something that happened in a session."""

    data = serializers.DictField(  # type: ignore[assignment]
        read_only=True, help_text="What else is known of it, by its kind."
    )

    class Meta:
        model = TimelineEntry
        fields: ClassVar = ["id", "kind", "at_ms", "until_ms", "turn_id", "data"]
        read_only_fields: ClassVar = fields


class TimelineFilters(serializers.Serializer[dict[str, Any]]):
    """Which entries."""

    kind = serializers.ChoiceField(choices=TimelineEntry.Kind.choices, required=False)
    turn = serializers.UUIDField(required=False)
    from_ms = serializers.IntegerField(min_value=0, max_value=2**31 - 1, required=False)
    until_ms = serializers.IntegerField(
        min_value=0, max_value=2**31 - 1, required=False, help_text="Those that began before it."
    )
