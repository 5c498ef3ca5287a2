"""A tenant's secrets: what its tools and endpoints need to sign in elsewhere."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models

from switchboard.kernel.encryption import EncryptedTextField
from switchboard.kernel.ids import uuid7

NAME_PATTERN = r"[a-z][a-z0-9_.-]{0,79}"
valid_name = RegexValidator(
    rf"^{NAME_PATTERN}\Z", "Use 1 to 80 lower-case letters, digits, dots, - and _, beginning with a letter."
)


class Secret(models.Model):
    """Known to all else by its name; its value is written and used, and never shown."""

    class Kind(models.TextChoices):
        PROVIDER_KEY = "provider_key", "Provider's key"
        WEBHOOK = "webhook", "Webhook secret"
        SIP_PASSWORD = "sip_password", "SIP password"
        OTHER = "other"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=80, unique=True, validators=[valid_name])
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.OTHER)
    value = EncryptedTextField()
    description = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
