"""What agents did with their tools: one row for each call of a turn, so that none happens twice."""

from __future__ import annotations

from django.db import models

from switchboard.kernel.ids import uuid7


class ToolCallRecord(models.Model):
    """One call of a tool, named by its turn and the number that the turn gave it.

    `unknown` is a call that changes something and was cut off where nobody can tell whether it did.
    """

    class Status(models.TextChoices):
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        UNKNOWN = "unknown"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    turn_id = models.UUIDField()
    call_id = models.CharField(max_length=120)
    conversation_id = models.UUIDField(db_index=True)
    agent_id = models.UUIDField()
    release_id = models.UUIDField()
    contact = models.CharField(max_length=200, blank=True, help_text="Whom it acted for; empty where nobody said.")
    tool = models.CharField(max_length=60, help_text="The tool's slug.")
    tool_version = models.PositiveIntegerField()
    kind = models.CharField(max_length=10)
    writes = models.BooleanField(default=False)
    is_preview = models.BooleanField(default=False, help_text="Tried out: what it would have changed was not kept.")
    arguments = models.JSONField(default=dict, blank=True)
    arguments_digest = models.CharField(max_length=64)
    status = models.CharField(max_length=8, choices=Status, default=Status.RUNNING)
    attempts = models.PositiveSmallIntegerField(default=1)
    data = models.JSONField(null=True, blank=True)
    text = models.TextField(blank=True, help_text="What the model was shown.")
    code = models.CharField(max_length=60, blank=True, help_text="Why it failed.")
    is_untrusted = models.BooleanField(default=True)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["turn_id", "call_id"], name="one_tool_call_per_turn_and_call")]

    def __str__(self) -> str:
        return f"{self.tool} {self.status}"
