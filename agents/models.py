"""Agents, the endpoints of their models, and the releases that fix what an agent does."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from switchboard.kernel.encryption import EncryptedTextField
from switchboard.kernel.ids import uuid7


class ModelEndpoint(models.Model):
    """Where language models are reached: any URL that speaks OpenAI's chat completions."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=80, unique=True)
    base_url = models.CharField(max_length=500, help_text="Up to and including /v1.")
    api_key = EncryptedTextField(blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Agent(models.Model):
    """A named assistant. What it does is its live release's to say."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    welcome = models.TextField(blank=True, help_text="What it says before anybody asks.")
    suggested_questions = ArrayField(models.CharField(max_length=200), default=list, blank=True, size=8)
    live_release = models.ForeignKey("Release", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Release(models.Model):
    """What an agent does, fixed for ever: a database trigger refuses to change or delete it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="releases")
    number = models.PositiveIntegerField()
    prompt = models.TextField()
    endpoint = models.ForeignKey(
        ModelEndpoint,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        help_text="Empty: the built-in local model, which quotes the documents.",
    )
    model = models.CharField(max_length=120, default="local")
    temperature = models.FloatField(default=0.2, validators=[MinValueValidator(0), MaxValueValidator(2)])
    max_tokens = models.PositiveIntegerField(default=1024, validators=[MinValueValidator(1), MaxValueValidator(32_000)])
    collection_ids = ArrayField(models.UUIDField(), default=list, blank=True)
    message = models.CharField(max_length=300, blank=True, help_text="Why it was made.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["agent", "number"], name="one_release_per_number")]

    def __str__(self) -> str:
        return f"{self.agent} #{self.number}"
