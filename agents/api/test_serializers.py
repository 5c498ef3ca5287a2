"""Test cases, runs and results as the REST API shows and takes them."""

from __future__ import annotations

from typing import Any, cast

from drf_spectacular.utils import extend_schema_field
from pydantic import TypeAdapter
from rest_framework import serializers

from agents.api.people import PersonField
from agents.comparison import CaseChange, Comparison
from agents.content.testcase import CaseTurn
from agents.models import TestCase, TestResult, TestRun


def _turns_schema() -> dict[str, Any]:
    """What a case's turns look like, with every definition where it is used: the document has no place for others."""
    schema = TypeAdapter(list[CaseTurn]).json_schema()
    definitions = schema.pop("$defs", {})

    def inlined(value: Any) -> Any:
        if isinstance(value, dict):
            if "$ref" in value:
                return inlined(definitions[str(value["$ref"]).rpartition("/")[2]])
            return {name: inlined(inner) for name, inner in value.items() if name not in {"discriminator", "title"}}
        return [inlined(inner) for inner in value] if isinstance(value, list) else value

    return cast("dict[str, Any]", inlined(schema))


@extend_schema_field(_turns_schema())
class TurnsField(serializers.JSONField):
    """What is said and expected, turn by turn; `domain` checks it."""


class CaseSerializer(serializers.ModelSerializer[TestCase]):
    """A test case."""

    turns = TurnsField()

    class Meta:
        model = TestCase
        fields = [
            "id",
            "agent",
            "name",
            "tags",
            "turns",
            "judge_optional",
            "enabled",
            "revision",
            "created_at",
            "updated_at",
            "deleted_at",
        ]
        read_only_fields = fields


class CaseChanges(serializers.Serializer[dict[str, Any]]):
    """What may be changed of a test case."""

    name = serializers.CharField(max_length=120, required=False)
    turns = TurnsField(required=False, help_text="What is said and expected, turn by turn.")
    tags = serializers.ListField(child=serializers.CharField(max_length=40), required=False, max_length=20)
    judge_optional = serializers.BooleanField(
        required=False, help_text="Green without a judge model too: what it would judge is skipped."
    )
    enabled = serializers.BooleanField(required=False, help_text="New releases carry it, and runs include it.")


class CaseFields(CaseChanges):
    """What a test case is made of."""

    agent = serializers.UUIDField()
    name = serializers.CharField(max_length=120)
    turns = TurnsField(help_text="What is said and expected, turn by turn.")


class CaseFilters(serializers.Serializer[dict[str, Any]]):
    """Which test cases are listed."""

    agent = serializers.UUIDField(required=False)
    tag = serializers.CharField(max_length=40, required=False)
    deleted = serializers.BooleanField(default=False, help_text="Those that were deleted, instead of the others.")


class RunFilters(serializers.Serializer[dict[str, Any]]):
    """Which test runs are listed."""

    release = serializers.UUIDField(required=False)
    status = serializers.ChoiceField(choices=TestRun.Status.choices, required=False)


class RunSerializer(serializers.ModelSerializer[TestRun]):
    """A run of a release's tests."""

    started_by = PersonField(help_text="Who started it; null: a program.")
    done = serializers.IntegerField(read_only=True, help_text="Cases that are done.")
    progress = serializers.IntegerField(read_only=True, help_text="Percent of its cases that are done.")

    class Meta:
        model = TestRun
        fields = [
            "id",
            "release",
            "status",
            "progress",
            "total",
            "done",
            "passed",
            "failed",
            "errors",
            "skipped",
            "error_code",
            "error_detail",
            "started_by",
            "created_at",
            "started_at",
            "finished_at",
        ]
        read_only_fields = fields


class OutcomeSerializer(serializers.Serializer[dict[str, Any]]):
    """What became of one expectation."""

    kind = serializers.CharField()
    expected = serializers.CharField(help_text="The expectation in words.")
    verdict = serializers.ChoiceField(choices=["passed", "failed", "skipped", "error"])
    why = serializers.CharField(help_text="A sentence.")


class HeldTurnSerializer(serializers.Serializer[dict[str, Any]]):
    """A turn as it was held."""

    say = serializers.CharField()
    answer = serializers.CharField()
    citations = serializers.ListField(child=serializers.DictField())
    tool_calls = serializers.ListField(child=serializers.DictField())
    routes = serializers.ListField(child=serializers.CharField())
    outcomes = OutcomeSerializer(many=True)


class SnapshotSerializer(serializers.Serializer[dict[str, Any]]):
    """A test case as it was run."""

    name = serializers.CharField()
    tags = serializers.ListField(child=serializers.CharField())
    turns = TurnsField()
    judge_optional = serializers.BooleanField()
    revision = serializers.IntegerField()


class ResultSerializer(serializers.ModelSerializer[TestResult]):
    """What one case came to in a run."""

    case = serializers.UUIDField(source="case_id")
    snapshot = SnapshotSerializer()
    turns = HeldTurnSerializer(many=True)

    class Meta:
        model = TestResult
        fields = [
            "id",
            "case",
            "snapshot",
            "status",
            "turns",
            "error_code",
            "error_detail",
            "duration_ms",
            "input_tokens",
            "output_tokens",
            "finished_at",
        ]
        read_only_fields = fields


class CaseChangeSerializer(serializers.Serializer[CaseChange]):
    """One case in two runs; a status is null where the run didn't have the case."""

    case = serializers.UUIDField(source="case_id")
    name = serializers.CharField()
    before = serializers.CharField(allow_null=True)
    after = serializers.CharField(allow_null=True)


class ComparisonSerializer(serializers.Serializer[Comparison]):
    """Two runs, case by case."""

    run = RunSerializer()
    before = RunSerializer(allow_null=True)
    newly_failing = CaseChangeSerializer(many=True)
    newly_passing = CaseChangeSerializer(many=True)
    still_failing = CaseChangeSerializer(many=True)
    still_passing = CaseChangeSerializer(many=True)
    new = CaseChangeSerializer(many=True)
    removed = CaseChangeSerializer(many=True)
