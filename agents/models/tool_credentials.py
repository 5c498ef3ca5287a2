"""A contact's own credentials for a tool, given by the tenant's backend."""

from __future__ import annotations

from django.db import models

from agents.models.registries import Tool
from switchboard.kernel.encryption import EncryptedTextField
from switchboard.kernel.ids import uuid7


class ToolCredential(models.Model):
    """What a tool signs in with when it acts for one contact, in place of the tool's own secret. Never shown again."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tool = models.ForeignKey(Tool, on_delete=models.CASCADE, related_name="contact_credentials")
    contact = models.CharField(max_length=200)
    value = EncryptedTextField()
    expires_at = models.DateTimeField(null=True, blank=True, help_text="After this the tool is refused, not tried.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["contact", "tool"], name="one_tool_credential_per_contact_and_tool")
        ]

    def __str__(self) -> str:
        return f"{self.tool} for {self.contact}"
