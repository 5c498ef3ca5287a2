"""Where models are reached: those that answer, hear or speak."""

from __future__ import annotations

from django.db import models

from agents.providers import CHOICES, OPENAI_COMPATIBLE
from switchboard.kernel.encryption import EncryptedTextField
from switchboard.kernel.ids import uuid7


class ModelEndpoint(models.Model):
    """A provider of models, at its own address or another. Runtime configs refer to it by name."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=80, unique=True)
    provider = models.CharField(
        max_length=20,
        choices=CHOICES,
        default=OPENAI_COMPATIBLE,
        help_text="Whose protocol it speaks. OpenAI-compatible: any server with OpenAI's chat completions.",
    )
    base_url = models.CharField(max_length=500, help_text="Up to and including /v1, where the provider has that.")
    api_key = EncryptedTextField(blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
