"""What all registries share: an entry with one draft, and its numbered, immutable versions."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models

from agents.content.base import Content
from switchboard.kernel.ids import uuid7

valid_slug = RegexValidator(
    r"^[a-z0-9][a-z0-9-]{0,59}\Z", "Use 1 to 60 lower-case letters, digits and hyphens, not beginning with a hyphen."
)


class Component(models.Model):
    """An entry of a registry. People edit its draft; only published versions are ever used.

    `draft_revision` counts the draft's changes, `published_revision` is the one the latest version was made of.
    """

    content_type: ClassVar[type[Content]]
    word: ClassVar[str]
    version_model: ClassVar[type[Version]]

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=120)
    slug = models.CharField(max_length=60, unique=True, validators=[valid_slug])
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True, size=20)
    draft = models.JSONField(default=dict, blank=True)
    draft_revision = models.PositiveIntegerField(default=1)
    published_revision = models.PositiveIntegerField(default=0)
    latest_version = models.PositiveIntegerField(default=0, help_text="Number of the newest version; 0: none yet.")
    drafted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    drafted_at = models.DateTimeField(auto_now_add=True)
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name

    @property
    def has_unpublished_changes(self) -> bool:
        return self.draft_revision != self.published_revision


class Version(models.Model):
    """A published content. A database trigger refuses to change or delete it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    number = models.PositiveIntegerField()
    content = models.JSONField()
    checksum = models.CharField(max_length=64, help_text="SHA-256 of the content's canonical JSON.")
    message = models.CharField(max_length=300, blank=True, help_text="What changed, for whoever wonders later.")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True
        ordering = ["-number"]
