"""Flags as the REST API shows and takes them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from tenants.flags.evaluation import Evaluation, Reason
from tenants.flags.models import Flag, valid_key
from tenants.flags.rules import rules_schema


@extend_schema_field(rules_schema())
class RulesField(serializers.JSONField):
    """Rules in order; `domain` checks them."""


class FlagSerializer(serializers.ModelSerializer[Flag]):
    """A feature flag."""

    rules = RulesField()

    class Meta:
        model = Flag
        fields = [
            "id",
            "key",
            "description",
            "enabled",
            "rules",
            "default",
            "revision",
            "deleted_at",
            "created_at",
            "updated_at",
        ]
        read_only_fields = fields


class FlagChanges(serializers.Serializer[dict[str, Any]]):
    """What may be changed of a flag."""

    description = serializers.CharField(max_length=500, required=False, allow_blank=True)
    enabled = serializers.BooleanField(required=False, help_text="The kill switch: off is off, whatever the rules say.")
    rules = RulesField(required=False, help_text="In order; the first that matches decides.")
    default = serializers.BooleanField(required=False, help_text="What it is where no rule matches.")
    message = serializers.CharField(
        max_length=300, required=False, allow_blank=True, write_only=True, help_text="Why, for the audit trail."
    )


class FlagFields(FlagChanges):
    """What a flag is made of."""

    key = serializers.CharField(max_length=100, validators=[valid_key], help_text="Programs ask by it; it stays.")


class FlagFilters(serializers.Serializer[dict[str, Any]]):
    """Which flags are listed."""

    key = serializers.CharField(max_length=100, required=False, help_text="The one with this key.")
    enabled = serializers.BooleanField(
        required=False, help_text="true: those that their rules decide; false: those that the kill switch turned off."
    )
    deleted = serializers.BooleanField(default=False, help_text="Those that were deleted, instead of the others.")


class EvaluationFields(serializers.Serializer[dict[str, Any]]):
    """Who and where a flag is asked about."""

    contact = serializers.CharField(max_length=200, required=False, allow_blank=True)
    contact_attributes = serializers.DictField(required=False)
    agent = serializers.CharField(max_length=200, required=False, allow_blank=True, help_text="The agent's slug.")
    channel = serializers.CharField(max_length=40, required=False, allow_blank=True)
    unit = serializers.CharField(
        max_length=200, required=False, allow_blank=True, help_text="What a percentage sticks to without a contact."
    )
    tier = serializers.CharField(
        max_length=80, required=False, allow_blank=True, help_text="To suppose instead of the company's own."
    )
    metadata = serializers.DictField(required=False, help_text="To suppose instead of the company's own.")
    at = serializers.DateTimeField(required=False, help_text="A moment to suppose instead of now.")


class EvaluationSerializer(serializers.Serializer[Evaluation]):
    """Whether a flag is on, and why."""

    enabled = serializers.BooleanField()
    reason = serializers.ChoiceField(choices=[reason.value for reason in Reason])
    rule_index = serializers.IntegerField(
        allow_null=True, help_text="The rule that decided, counted from 0; null where none did."
    )
