"""What differs, as the REST API shows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from agents.diff import Change
from agents.queries import DRAFT, LATEST

KINDS: Final = ("added", "removed", "changed")
SIDES: Final = ("same", "removed", "added")


@extend_schema_field({"description": "Any JSON value."})
class AnyField(serializers.JSONField):
    """Whatever stood there."""


class SegmentSerializer(serializers.Serializer[Any]):
    """A run of text that is on one side or on both."""

    side = serializers.ChoiceField(choices=SIDES)
    text = serializers.CharField()


class ChangeSerializer(serializers.Serializer[Change]):
    """One value that differs."""

    path = serializers.CharField(help_text="Dotted, such as `variables.hotel.default`.")
    kind = serializers.ChoiceField(choices=KINDS)
    old = AnyField(help_text="null where it was added.")
    new = AnyField(help_text="null where it was removed.")
    segments = SegmentSerializer(many=True, help_text="For prose, word by word; empty otherwise.")


class DiffSerializer(serializers.Serializer[Any]):
    """What differs between two states of an entry."""

    changes = ChangeSerializer(many=True, help_text="Empty where they are the same.")


def diff_response(changes: Sequence[Change], **more: Any) -> dict[str, Any]:
    """Changes as JSON, beside what else is told."""
    return {**more, "changes": [ChangeSerializer(change).data for change in changes]}


class StateField(serializers.RegexField):
    """A version's number, `latest`, or `draft`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(rf"^(?:[1-9][0-9]{{0,8}}|{LATEST}|{DRAFT})\Z", **options)


class DiffFilters(serializers.Serializer[dict[str, Any]]):
    """Which two states are compared."""

    # `from` is a word of Python's, so it is added by name.
    to = StateField(default=DRAFT, help_text="A version's number, `latest` or `draft`.")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        older = StateField(default=LATEST, help_text="A version's number, `latest` or `draft`.")
        return {"from": older, **super().get_fields()}
