"""Meetings, who was there, and what an agent did in each: the time axis of everything that was heard, said and seen."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from conversations.models import Conversation
from switchboard.kernel.ids import uuid7


class Meeting(models.Model):
    """A LiveKit room where an agent and people talk and show each other things."""

    class Status(models.TextChoices):
        PLANNED = "planned"
        LIVE = "live"
        ENDED = "ended"

    OPEN = (Status.PLANNED, Status.LIVE)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="meetings")
    room = models.CharField(max_length=80, unique=True, help_text="What LiveKit calls it; too long to be guessed.")
    status = models.CharField(max_length=10, choices=Status, default=Status.PLANNED)
    consents_to_recording = models.BooleanField(default=False, help_text="Without consent nothing is recorded.")
    idempotency_key = models.CharField(max_length=120, null=True, blank=True)
    joinable_until = models.DateTimeField(
        help_text="When the last token that lets somebody in ends. Where nobody came until then, nobody will."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    agent_awaited_since = models.DateTimeField(
        null=True, blank=True, help_text="Since when somebody has been there without an agent."
    )
    missing_since = models.DateTimeField(
        null=True, blank=True, help_text="Since when LiveKit has had no such room, although somebody had come."
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["conversation"], condition=Q(status__in=["planned", "live"]), name="one_open_meeting_a_thread"
            ),
            models.UniqueConstraint(fields=["conversation", "idempotency_key"], name="one_meeting_per_idempotency_key"),
        ]

    def __str__(self) -> str:
        return self.room

    @property
    def permission_parent(self) -> Conversation:
        return self.conversation

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN


class Participant(models.Model):
    """Somebody in a meeting, from when they came until they left. Whoever comes back is there a second time."""

    class Kind(models.TextChoices):
        CONTACT = "contact"
        GUEST = "guest"
        STAFF = "staff"
        AGENT = "agent"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="participants")
    livekit_id = models.CharField(max_length=60, unique=True, help_text="LiveKit's sid of this stay.")
    identity = models.CharField(max_length=200)
    name = models.CharField(max_length=200, blank=True)
    kind = models.CharField(max_length=10, choices=Kind)
    joined_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)
    was_removed = models.BooleanField(default=False, help_text="Turned out of the room, rather than gone.")

    class Meta:
        ordering = ["joined_at", "id"]

    def __str__(self) -> str:
        return self.name or self.identity


class VoiceSession(models.Model):
    """One agent at work with its ears and voice: in a meeting, on a call, or over a socket."""

    class Channel(models.TextChoices):
        ROOM = "room"
        CALL = "call"
        AUDIO = "audio"

    class Status(models.TextChoices):
        LIVE = "live"
        ENDED = "ended"
        FAILED = "failed"
        LOST = "lost", "Lost with its worker"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="voice_sessions")
    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, null=True, blank=True, related_name="sessions")
    release_id = models.UUIDField(null=True, blank=True)
    channel = models.CharField(max_length=10, choices=Channel)
    status = models.CharField(max_length=10, choices=Status, default=Status.LIVE)
    worker = models.CharField(max_length=120, blank=True, help_text="The process that ran it.")
    end_reason = models.CharField(max_length=80, blank=True)
    recording = models.CharField(max_length=300, blank=True, help_text="Where the recording is stored.")
    started_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} {self.started_at:%d %b %Y, %H:%M}"

    @property
    def permission_parent(self) -> Conversation:
        return self.conversation

    @property
    def is_recorded(self) -> bool:
        return bool(self.recording)


class TimelineEntry(models.Model):
    """Something that happened in a session, on its time axis."""

    class Kind(models.TextChoices):
        USER_SPEECH = "user_speech", "Contact speaks"  # as the voice activity detector hears it
        TRANSCRIPT = "transcript", "Heard"  # what the ears made of it
        LLM = "llm", "Answer"
        TTS = "tts", "Voice"
        AGENT_SPEECH = "agent_speech", "Agent speaks"
        TOOL = "tool", "Tool"
        VISION = "vision", "Vision"
        STATE = "state", "State"
        ERROR = "error", "Error"
        EVENT = "event", "Event"  # told by a worker elsewhere

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    session = models.ForeignKey(VoiceSession, on_delete=models.CASCADE, related_name="timeline")
    kind = models.CharField(max_length=14, choices=Kind)
    at_ms = models.PositiveIntegerField(help_text="When it began, in milliseconds from the session's start.")
    until_ms = models.PositiveIntegerField(null=True, blank=True, help_text="When it ended; empty for a moment.")
    turn_id = models.UUIDField(null=True, blank=True)
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["at_ms", "id"]
        indexes = [models.Index(fields=["session", "at_ms"], name="timeline_of_a_session")]

    def __str__(self) -> str:
        return f"{self.kind} at {self.at_ms} ms"
