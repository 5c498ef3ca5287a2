"""Agents, and the releases that fix what they do."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q

from agents.content.agent import ProfileContent
from agents.models.component import Component, Version
from agents.models.registries import PersonalityVersion, PromptVersion, RuntimeConfigVersion
from switchboard.kernel.ids import uuid7


class Agent(Component):
    """A named assistant. What it does is its releases' to say; which of them serves is said here.

    New conversations are served by the live release, or by the canary where its percentage or flag picks them. A
    conversation stays on the release it began with, unless that is withdrawn.
    """

    content_type = ProfileContent
    word = "agent"

    class Status(models.TextChoices):
        ACTIVE = "active"
        PAUSED = "paused"

    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    live_release = models.ForeignKey("Release", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    canary_release = models.ForeignKey("Release", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    canary_percent = models.PositiveSmallIntegerField(default=0, validators=[MaxValueValidator(100)])
    canary_flag = models.CharField(max_length=100, blank=True, help_text="A feature flag that picks who is served.")
    withdrawn_release_ids = ArrayField(
        models.UUIDField(), default=list, blank=True, help_text="Their conversations go on with the live release."
    )
    served_release_ids = ArrayField(
        models.UUIDField(), default=list, blank=True, editable=False, help_text="Releases that have ever been live."
    )
    require_tests = models.BooleanField(default=False, help_text="Only a release whose tests are green may go live.")

    class Meta(Component.Meta):
        constraints = [
            models.CheckConstraint(
                condition=Q(canary_release=None, canary_percent=0, canary_flag="") | Q(canary_release__isnull=False),
                name="canary_is_whole",
            )
        ]

    @property
    def is_serving(self) -> bool:
        return self.live_release_id is not None and self.status == self.Status.ACTIVE and self.deleted_at is None


class AgentVersion(Version):
    component = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="versions")

    class Meta(Version.Meta):
        constraints = [models.UniqueConstraint(fields=["component", "number"], name="one_agent_version_per_number")]

    def __str__(self) -> str:
        return f"{self.component} v{self.number}"

    @property
    def permission_parent(self) -> Agent:
        return self.component


Agent.version_model = AgentVersion


class Release(models.Model):
    """What an agent does, fixed for ever: exact versions, and `snapshot`, which holds all that a turn needs of them.

    Triggers refuse to change or delete it, and to make one of parts that aren't there.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="releases")
    number = models.PositiveIntegerField()
    profile = models.ForeignKey(AgentVersion, on_delete=models.PROTECT, related_name="+")
    prompt = models.ForeignKey(PromptVersion, on_delete=models.PROTECT, related_name="+")
    personality = models.ForeignKey(
        PersonalityVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    runtime_config = models.ForeignKey(
        RuntimeConfigVersion, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    tool_version_ids = ArrayField(models.UUIDField(), default=list, blank=True)
    sub_release_ids = ArrayField(models.UUIDField(), default=list, blank=True)
    collection_ids = ArrayField(models.UUIDField(), default=list, blank=True)
    variables = models.JSONField(default=dict, blank=True)
    test_case_ids = ArrayField(models.UUIDField(), default=list, blank=True)
    snapshot = models.JSONField()
    checksum = models.CharField(max_length=64)
    copy_of = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
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

    @property
    def permission_parent(self) -> Agent:
        return self.agent
