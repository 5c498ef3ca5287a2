"""Metered use, one row a use, appended and never changed: a trigger of the table holds that."""

from __future__ import annotations

from django.db import models

from switchboard.kernel.ids import uuid7


class UsageEvent(models.Model):
    """One metered use. What it belongs to is named by id: the ledger outlives what it counts."""

    class Service(models.TextChoices):
        LLM = "llm", "Language model"
        STT = "stt", "Speech to text"
        TTS = "tts", "Text to speech"
        VISION = "vision", "Vision"
        EMBEDDING = "embedding", "Embedding"
        KNOWLEDGE = "knowledge", "Knowledge search"

    class Unit(models.TextChoices):
        SECOND = "second", "seconds"
        CHARACTER = "character", "characters"
        FRAME = "frame", "frames"
        MINUTE = "minute", "minutes"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    idempotency_key = models.CharField(max_length=120, unique=True)
    service = models.CharField(max_length=20, choices=Service)
    provider = models.CharField(max_length=80)
    model = models.CharField(max_length=120)
    purpose = models.CharField(
        max_length=20, blank=True, default="", help_text="What for, such as answer, route, extract, summary or judge."
    )
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    cached_tokens = models.PositiveIntegerField(default=0, help_text="Of the input, what the provider had cached.")
    quantity = models.DecimalField(
        max_digits=18, decimal_places=6, null=True, blank=True, help_text="How much, where it isn't counted in tokens."
    )
    unit = models.CharField(max_length=10, choices=Unit, blank=True, default="", help_text="What the quantity counts.")
    is_estimated = models.BooleanField(default=False, help_text="Counted by us, not by the provider.")
    cost_usd = models.DecimalField(
        max_digits=16, decimal_places=8, null=True, blank=True, help_text="Empty: no price known."
    )
    conversation_id = models.UUIDField(null=True, blank=True)
    turn_id = models.UUIDField(null=True, blank=True)
    release_id = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["turn_id"]), models.Index(fields=["created_at"])]

    def __str__(self) -> str:
        return f"{self.service} {self.provider}/{self.model}"
