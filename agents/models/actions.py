"""What a contact asked an agent to do: filled in over several messages, confirmed, and done once."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from switchboard.kernel.ids import uuid7


class Action(models.Model):
    """One wish that a tool carries out. The conversation it belongs to is named by id: that is a layer above."""

    class Status(models.TextChoices):
        FILLING = "filling"  # arguments are missing
        CONFIRMING = "confirming"  # the contact was shown all of them and asked
        CONFIRMED = "confirmed"  # the contact said yes; from here on it is run, once, whatever dies
        DONE = "done"
        FAILED = "failed"
        DROPPED = "dropped"

    OPEN = (Status.FILLING, Status.CONFIRMING, Status.CONFIRMED)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    conversation_id = models.UUIDField()
    release_id = models.UUIDField(help_text="The release whose tool it is.")
    tool = models.CharField(max_length=100, help_text="The tool's slug.")
    arguments = models.JSONField(default=dict, blank=True)
    asked = models.CharField(max_length=100, blank=True, help_text="The argument that the contact was asked for last.")
    status = models.CharField(max_length=12, choices=Status, default=Status.FILLING)
    contact = models.CharField(max_length=200, blank=True)
    begun_turn_id = models.UUIDField()
    confirmed_turn_id = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=~(Q(status="confirmed") | Q(status="done")) | Q(confirmed_turn_id__isnull=False),
                name="what_is_done_was_confirmed",
            )
        ]
        indexes = [
            models.Index(
                fields=["conversation_id", "id"],
                condition=Q(status="filling") | Q(status="confirming") | Q(status="confirmed"),
                name="open_actions",
            )
        ]

    def __str__(self) -> str:
        return f"{self.tool} ({self.status})"
