"""Tokens and issuers as the REST API shows and takes them."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from rest_framework import serializers

from tenants.tokens.domain.minting import DEFAULT_SECONDS, LONGEST_SECONDS, SHORTEST_SECONDS
from tenants.tokens.models import ALGORITHMS, TokenIssuer


class TokenFields(serializers.Serializer[dict[str, Any]]):
    """Whom a token is for."""

    contact = serializers.CharField(max_length=200, help_text="Your own name for them; they see their own alone.")
    session = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    agent = serializers.UUIDField(
        required=False, allow_null=True, default=None, help_text="The only agent they may talk with; any where absent."
    )
    expires_in = serializers.IntegerField(
        min_value=SHORTEST_SECONDS, max_value=LONGEST_SECONDS, default=DEFAULT_SECONDS, help_text="Seconds."
    )


class TokenSerializer(serializers.Serializer[Any]):
    """A token."""

    token = serializers.CharField(help_text="Send it as `Authorization: Bearer`.")
    token_type = serializers.CharField(default="Bearer")
    expires_at = serializers.DateTimeField()


_SETTINGS: Final = (
    "name",
    "issuer",
    "jwks_url",
    "audience",
    "audience_claim",
    "algorithms",
    "contact_claim",
    "contact_prefix",
    "session_claim",
    "tenant_claim",
    "tenant_value",
    "groups_claim",
    "required_group",
    "enabled",
)


class IssuerFields(serializers.ModelSerializer[TokenIssuer]):
    """What is said of an issuer."""

    algorithms = serializers.ListField(
        child=serializers.ChoiceField(choices=ALGORITHMS), min_length=1, max_length=len(ALGORITHMS), required=False
    )

    class Meta:
        model = TokenIssuer
        fields: ClassVar[list[str]] = [*_SETTINGS]
        # That it is the only one is asked where it is kept.
        extra_kwargs: ClassVar[dict[str, Any]] = {"issuer": {"validators": []}}


class IssuerSerializer(serializers.ModelSerializer[TokenIssuer]):
    """A tenant's own issuer of tokens."""

    algorithms = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = TokenIssuer
        fields: ClassVar[list[str]] = ["id", *_SETTINGS, "created_at", "updated_at"]
        read_only_fields: ClassVar[list[str]] = fields
