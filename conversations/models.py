"""Threads, what was said in them, and the runs of the engine that answered."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from agents.models import Agent
from switchboard.kernel.ids import uuid7


class Conversation(models.Model):
    """A contact's thread with an agent."""

    class Channel(models.TextChoices):
        API = "api"
        PLAYGROUND = "playground"
        ROOM = "room"
        CALL = "call"
        AUDIO = "audio"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="conversations")
    release_id = models.UUIDField(null=True, blank=True, help_text="The release it began with, and stays on.")
    channel = models.CharField(max_length=12, choices=Channel, default=Channel.API)
    contact = models.CharField(
        max_length=200,
        blank=True,
        help_text="Who talks, as the tenant's own program or their token names them; empty where nobody said.",
    )
    title = models.CharField(max_length=120, blank=True, help_text="The first message, shortened.")
    idempotency_key = models.CharField(max_length=120, null=True, blank=True)
    last_event = models.PositiveBigIntegerField(default=0, help_text="Number of the last event of a finished turn.")
    has_waiting_notices = models.BooleanField(
        default=False, db_default=False, help_text="Notices that get their number once the running turn is over."
    )
    handoff_requested_at = models.DateTimeField(null=True, blank=True, help_text="Since when a person is wanted.")
    handoff_reason = models.CharField(max_length=300, blank=True, default="", db_default="")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["contact", "idempotency_key"], name="one_conversation_per_contact_and_idempotency_key"
            )
        ]
        indexes = [models.Index(fields=["contact", "-id"], condition=~Q(contact=""), name="conversations_of_a_contact")]

    def __str__(self) -> str:
        return self.title or str(self.id)

    @property
    def permission_parent(self) -> Agent:
        return self.agent


class Turn(models.Model):
    """One run of the engine, which answers one message. `events` is what it said, kept once it is over."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"

    OPEN = (Status.QUEUED, Status.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="turns")
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    release_id = models.UUIDField(null=True, blank=True)
    idempotency_key = models.CharField(max_length=120, null=True, blank=True)
    content_digest = models.CharField(
        max_length=64, blank=True, help_text="Of the question, to tell a retry from another."
    )
    cancel_requested = models.BooleanField(default=False)
    first_event = models.PositiveBigIntegerField(null=True, blank=True)
    last_event = models.PositiveBigIntegerField(null=True, blank=True)
    events = models.JSONField(default=list, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["conversation"], condition=Q(status="running"), name="one_running_turn_per_conversation"
            ),
            models.UniqueConstraint(fields=["conversation", "idempotency_key"], name="one_turn_per_idempotency_key"),
        ]
        indexes = [models.Index(fields=["release_id", "created_at"], name="turns_of_a_release")]

    def __str__(self) -> str:
        return f"{self.status} {self.id}"

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN


class Message(models.Model):
    """One entry in a thread."""

    class Role(models.TextChoices):
        CONTACT = "contact"
        AGENT = "agent"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="messages")
    role = models.CharField(max_length=10, choices=Role)
    text = models.TextField()
    citations = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.text[:60]


class Notice(models.Model):
    """An event of a conversation that belongs to no turn: a meeting began, or ended. It stands among the turns' events,
    numbered as they are; while a turn runs the numbers are the turn's, and it waits for its own.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="notices")
    number = models.PositiveBigIntegerField(null=True, blank=True)
    kind = models.CharField(max_length=40)
    data = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["conversation", "number"], name="one_notice_per_conversation_and_number")
        ]

    def __str__(self) -> str:
        return self.kind
