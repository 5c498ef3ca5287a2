"""The trail itself. Its tables stand in every schema: a tenant's trail in its own, the platform's in the public one.

Nothing in Python writes here: triggers do (`tenants.audit.triggers`), with each change and in its transaction.
"""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Func


class Words(Func):
    """The words of several texts, for search. What is no letter or digit parts words: `release.went_live` is three."""

    template = "to_tsvector('simple'::regconfig, regexp_replace(%(expressions)s, '[^[:alnum:]]+', ' ', 'g'))"
    arg_joiner = " || ' ' || "
    output_field = SearchVectorField()


class AuditEvent(models.Model):
    """One change of one row. A database trigger refuses to change or remove it."""

    class ActorKind(models.TextChoices):
        STAFF = "staff"
        OPERATOR = "operator"
        API_KEY = "api_key", "API key"
        CONTACT = "contact"
        SYSTEM = "system"

    position = models.BigIntegerField(primary_key=True, help_text="Counts from 1 without a gap.")
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=12, choices=ActorKind)
    actor_id = models.TextField(blank=True)
    actor_name = models.TextField(blank=True)
    request_id = models.TextField(blank=True, help_text="Joins the change with its request's log lines.")
    address = models.TextField(blank=True, help_text="The client's network address.")
    action = models.TextField(help_text="`entity.verb`")
    message = models.TextField(blank=True, help_text="Why, in the words of whoever did it.")
    entity = models.TextField(help_text="What kind of thing was changed.")
    entity_id = models.TextField()
    entity_label = models.TextField(blank=True, help_text="What it was called then.")
    old = models.JSONField(null=True, help_text="The changed columns as they were; null where it is new.")
    new = models.JSONField(null=True, help_text="The changed columns as they became; null where it is gone.")
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64, help_text="SHA-256 of all of this and of the previous event's hash.")
    words = models.GeneratedField(
        expression=Words(F("action"), F("entity_label"), F("actor_name"), F("message")),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        ordering = ["-position"]
        verbose_name = "event"
        indexes = [
            models.Index(fields=["entity_id", "position"], name="audit_entity_id"),
            models.Index(fields=["action", "position"], name="audit_action"),
            models.Index(fields=["actor_name", "position"], name="audit_actor_name"),
            models.Index(fields=["actor_id", "position"], name="audit_actor_id"),
            models.Index(fields=["at"], name="audit_at"),
            GinIndex(fields=["words"], name="audit_words"),
        ]

    def __str__(self) -> str:
        return f"{self.position} {self.action}"


class ChainHead(models.Model):
    """Where the chain ends: one row, locked by whoever adds to it until their transaction ends."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    position = models.BigIntegerField()
    hash = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"{self.position}:{self.hash}"
