"""A tenant's limits as the REST API shows and takes them, each with its unit and bounds."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from tenants.limits import LIMITS, Limit


def _fields(meaning: str, **about: Any) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
    def words(limit: Limit) -> str:
        return f"{limit.counts[0].upper()}{limit.counts[1:]}. {meaning}"

    return {
        name: serializers.IntegerField(min_value=0, max_value=limit.most, help_text=words(limit), **about)
        for name, limit in LIMITS.items()
    }


class TenantLimits(serializers.Serializer[dict[str, int | None]]):
    """The limits that the operators set for a tenant."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return _fields("0: as many as it likes; null: the installation's default holds.", allow_null=True)


class TenantLimitChanges(serializers.Serializer[dict[str, int | None]]):
    """Other limits for a tenant. Those that aren't named stay."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return _fields("0: as many as it likes; null: the installation's default.", allow_null=True, required=False)


class LimitsInForce(serializers.Serializer[dict[str, int]]):
    """How much the company may use at a time."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return _fields("0: as many as the company likes.")


@extend_schema_field(TenantLimitChanges)
class LimitsField(serializers.JSONField):
    """Limits by name; `domain` checks them."""
