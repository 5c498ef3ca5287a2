"""Where language models are reached."""

from __future__ import annotations

from django.db import models

from switchboard.kernel.encryption import EncryptedTextField
from switchboard.kernel.ids import uuid7


class ModelEndpoint(models.Model):
    """Any URL that speaks OpenAI's chat completions. Runtime configs refer to it by name."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=80, unique=True)
    base_url = models.CharField(max_length=500, help_text="Up to and including /v1.")
    api_key = EncryptedTextField(blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
