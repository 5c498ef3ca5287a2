"""Tenants as the operators' REST API shows and takes them."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from tenants.api.limit_serializers import LimitsField, TenantLimits
from tenants.models import Domain, Tenant, valid_metadata, valid_slug, valid_tier


class DomainSerializer(serializers.ModelSerializer[Domain]):
    """A hostname."""

    class Meta:
        model = Domain
        fields: ClassVar = ["id", "domain", "is_primary"]
        read_only_fields: ClassVar = fields


class TenantSerializer(serializers.ModelSerializer[Tenant]):
    """A tenant, seen from outside: nothing of what is in it."""

    status = serializers.CharField(read_only=True, help_text="`preparing`, `ready`, `suspended` or `deleted`.")
    metadata = serializers.DictField(source="notes", read_only=True)
    limits = TenantLimits(read_only=True)
    domains = DomainSerializer(many=True, read_only=True)

    class Meta:
        model = Tenant
        fields: ClassVar = [
            "id",
            "name",
            "slug",
            "status",
            "service_tier",
            "metadata",
            "limits",
            "domains",
            "created_at",
            "deleted_at",
        ]
        read_only_fields: ClassVar = fields


class TenantChanges(serializers.Serializer[dict[str, Any]]):
    """What may be changed of a tenant."""

    name = serializers.CharField(max_length=120)
    service_tier = serializers.CharField(max_length=40, validators=[valid_tier], required=False)
    metadata = serializers.JSONField(
        validators=[valid_metadata], required=False, help_text="An object of names and plain values."
    )
    limits = LimitsField(required=False, help_text="How much it may use at a time, where it isn't the default.")


class TenantFields(TenantChanges):
    """What a new tenant is made of."""

    slug = serializers.CharField(max_length=40, validators=[valid_slug], help_text="Names its schema, and stays.")
    domains = serializers.ListField(
        child=serializers.CharField(max_length=253),
        min_length=1,
        max_length=20,
        help_text="Hostnames without port; the first is the primary one.",
    )


class DomainFields(serializers.Serializer[dict[str, Any]]):
    """A further hostname."""

    domain = serializers.CharField(max_length=253)


class TenantFilters(serializers.Serializer[dict[str, Any]]):
    """What the list can be narrowed to."""

    status = serializers.ChoiceField(choices=Tenant.Status.choices, required=False)
    service_tier = serializers.CharField(max_length=40, required=False)
    search = serializers.CharField(
        max_length=120, required=False, help_text="A part of a name, of a slug or of a hostname."
    )
