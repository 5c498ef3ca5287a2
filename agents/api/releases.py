"""Releases as the REST API shows and takes them."""

from __future__ import annotations

from typing import Any, Final

from rest_framework import serializers

from agents.api.contents import snapshot_field
from agents.api.diffs import ChangeSerializer
from agents.api.people import PersonField
from agents.domain.composition import DEFAULT
from agents.models import Release
from agents.queries import Serves, serves

_VERSION: Final = "A version's id, `slug@3` or `slug@latest`"
_SHOWN: Final = ["id", "agent", "number", "serves", "message", "checksum", "copy_of", "created_by", "created_at"]


def _named(**options: Any) -> serializers.CharField:
    return serializers.CharField(max_length=80, **options)


class ReleaseSummary(serializers.ModelSerializer[Release]):
    """A release without what is in it."""

    created_by = PersonField(help_text="Who made it; null: a program.")
    serves = serializers.SerializerMethodField()

    class Meta:
        model = Release
        fields = _SHOWN
        read_only_fields = fields

    def get_serves(self, release: Release) -> Serves:
        return serves(release, release.agent)


class ReleaseSerializer(ReleaseSummary):
    """What an agent does, fixed for ever."""

    canary_percent = serializers.SerializerMethodField(help_text="Of contacts, while it is the canary; else 0.")
    canary_flag = serializers.SerializerMethodField(help_text="Picks contacts too, while it is the canary; else empty.")
    variables = serializers.DictField(child=serializers.CharField(), read_only=True)
    snapshot = snapshot_field(read_only=True, help_text="All that a turn needs of it, written out.")

    class Meta(ReleaseSummary.Meta):
        fields = [
            *_SHOWN, "canary_percent", "canary_flag", "profile", "prompt", "personality", "runtime_config",
            "tool_version_ids", "sub_release_ids", "collection_ids", "variables", "test_case_ids", "snapshot",
        ]  # fmt: skip
        read_only_fields = fields

    def get_canary_percent(self, release: Release) -> int:
        return release.agent.canary_percent if release.agent.canary_release_id == release.pk else 0

    def get_canary_flag(self, release: Release) -> str:
        return release.agent.canary_flag if release.agent.canary_release_id == release.pk else ""


class ReleaseFields(serializers.Serializer[dict[str, Any]]):
    """What a release is made of: exact, published versions."""

    prompt = _named(help_text=f"{_VERSION}.")
    profile = _named(
        required=False, allow_null=True, help_text="A version of the agent itself: id, number, or left out: the latest."
    )
    personality = _named(
        default=DEFAULT, allow_null=True, help_text=f"{_VERSION}; left out: the company's default one; null: none."
    )
    runtime_config = _named(
        default=None, allow_null=True, help_text=f"{_VERSION}; left out or null: the built-in local model."
    )
    tools = serializers.ListField(child=_named(), default=list, max_length=100, help_text=f"Each {_VERSION.lower()}.")
    sub_releases = serializers.ListField(
        child=_named(),
        default=list,
        max_length=50,
        help_text="Of the agents that a supervisor hands to, each by its id, `slug@3`, `slug@latest` or `slug@live`.",
    )
    collections = serializers.ListField(
        child=_named(), default=list, max_length=50, help_text="What it may answer from, by id or slug."
    )
    variables = serializers.DictField(
        child=serializers.CharField(max_length=100_000, allow_blank=True, trim_whitespace=False),
        default=dict,
        help_text="Values for the prompt's declared variables.",
    )
    test_cases = serializers.ListField(
        child=serializers.UUIDField(),
        default=None,
        allow_null=True,
        max_length=200,
        help_text="The agent's test cases that it carries, by id; left out or null: all that are enabled.",
    )
    message = serializers.CharField(max_length=300, default="", allow_blank=True, help_text="Why it is made.")


class GoLiveFields(serializers.Serializer[dict[str, Any]]):
    """What is said when a release goes live."""

    message = serializers.CharField(max_length=300, default="", allow_blank=True, help_text="Why.")
    withdraw_previous = serializers.BooleanField(
        default=False, help_text="Also move conversations that began on the release before, at their next message."
    )


class RollbackFields(serializers.Serializer[dict[str, Any]]):
    """What is said when an agent returns to an older release."""

    message = serializers.CharField(max_length=300, default="", allow_blank=True, help_text="Why.")
    withdraw_current = serializers.BooleanField(
        default=True, help_text="Also move conversations away from what is rolled back, at their next message."
    )


class CanaryFields(serializers.Serializer[dict[str, Any]]):
    """Who is served by a canary: a percentage, those for whom a flag is on, or both."""

    percent = serializers.IntegerField(
        min_value=0, max_value=100, default=0, help_text="Of contacts; the same contact always falls on the same side."
    )
    flag = serializers.CharField(max_length=100, default="", allow_blank=True, help_text="A feature flag's key.")
    message = serializers.CharField(max_length=300, default="", allow_blank=True, help_text="Why.")


class CanaryEndFilters(serializers.Serializer[dict[str, Any]]):
    """What becomes of a canary's conversations."""

    withdraw = serializers.BooleanField(
        default=True, help_text="Move the canary's conversations back too, at their next message."
    )


class ReleaseDiffFilters(serializers.Serializer[dict[str, Any]]):
    """What a release is compared with."""

    against = serializers.UUIDField(
        required=False, help_text="Another release; left out: the live one, or for that the one before it."
    )


class ReleaseDiffSerializer(serializers.Serializer[Any]):
    """What differs between two releases in what they do."""

    against = serializers.UUIDField(allow_null=True, help_text="The older side; null: nothing came before.")
    changes = ChangeSerializer(many=True, help_text="Empty where they do the same.")
