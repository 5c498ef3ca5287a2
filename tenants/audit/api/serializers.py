"""Events as the REST API shows them, and what they can be asked for by."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from tenants.audit.export import COLUMNS, FORMATS
from tenants.audit.models import AuditEvent


class AuditEventSerializer(serializers.ModelSerializer[AuditEvent]):
    """One change of one thing."""

    class Meta:
        model = AuditEvent
        fields = COLUMNS
        read_only_fields = fields


class AuditFilters(serializers.Serializer[dict[str, Any]]):
    """Which events. Several filters must all hold."""

    text = serializers.CharField(
        required=False, max_length=200, help_text="Words, or their beginnings, of action, label, message and actor."
    )
    entity = serializers.CharField(required=False, max_length=60, help_text="The kind of thing, such as `agent`.")
    entity_id = serializers.CharField(required=False, max_length=200, help_text="The thing itself.")
    actor = serializers.CharField(required=False, max_length=200, help_text="An actor's id, or the exact name.")
    action = serializers.CharField(required=False, max_length=200, help_text="Such as `release.went_live`.")
    since = serializers.DateTimeField(required=False, help_text="Not before.")
    until = serializers.DateTimeField(required=False, help_text="Before.")


class ExportFilters(AuditFilters):
    """Which events, and as what."""

    format = serializers.ChoiceField(choices=list(FORMATS), default="ndjson")
