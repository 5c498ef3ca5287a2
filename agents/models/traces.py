"""How a turn came to its answer, step by step: to be looked at, and to go on from where a process died."""

from __future__ import annotations

from django.db import models

from switchboard.kernel.ids import uuid7


class TurnTrace(models.Model):
    """The steps of one turn (`agents.engine.tracing.Step`), saved as they are taken where they matter."""

    turn_id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    conversation_id = models.UUIDField(db_index=True)
    release_id = models.UUIDField()
    contact = models.CharField(max_length=200, blank=True, help_text="Who talked; empty where nobody said.")
    steps = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-turn_id"]
        indexes = [models.Index(fields=["contact"], condition=~models.Q(contact=""), name="traces_of_contact")]

    def __str__(self) -> str:
        return str(self.turn_id)
