"""The flags' table. It stands in every schema: whose flags it holds follows from the scope."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models

from switchboard.kernel.ids import uuid7

KEY_PATTERN = r"[a-z][a-z0-9_]*(?:[.-][a-z0-9_]+)*"
valid_key = RegexValidator(
    rf"^{KEY_PATTERN}\Z",
    "Use lower-case letters, digits and _, in parts joined by a dot or a hyphen, such as checkout.new_flow.",
)


class Flag(models.Model):
    """In a tenant's schema a flag of its own; in the public schema one of the operators' for all tenants."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key = models.CharField(max_length=100, unique=True, validators=[valid_key])
    description = models.CharField(max_length=500, blank=True)
    enabled = models.BooleanField(default=True, help_text="The kill switch: off is off, whatever the rules say.")
    rules = models.JSONField(default=list, blank=True, help_text="In order; the first that matches decides.")
    default = models.BooleanField(default=False, help_text="What it is where no rule matches.")
    revision = models.PositiveIntegerField(default=1, help_text="Counts its changes.")
    deleted_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["key"]

    def __str__(self) -> str:
        return self.key
