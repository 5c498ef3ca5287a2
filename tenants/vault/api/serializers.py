"""Secrets as the REST API shows and takes them: the value goes in and never out."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from tenants.vault.models import Secret, valid_name


class SecretSerializer(serializers.ModelSerializer[Secret]):
    """A secret, without what is secret."""

    class Meta:
        model = Secret
        fields: ClassVar = ["id", "name", "kind", "description", "created_at", "updated_at"]
        read_only_fields: ClassVar = fields


class SecretChanges(serializers.Serializer[dict[str, Any]]):
    """What may be changed of a secret."""

    value = serializers.CharField(write_only=True, trim_whitespace=False, help_text="It can't be read again.")
    kind = serializers.ChoiceField(choices=Secret.Kind.choices, required=False)
    description = serializers.CharField(max_length=500, required=False, allow_blank=True)


class SecretFields(SecretChanges):
    """What a new secret is made of."""

    name = serializers.CharField(
        max_length=80, validators=[valid_name], help_text="What tools and endpoints refer to it by; it stays."
    )
