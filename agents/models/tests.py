"""Test cases of an agent, and what running them against a release came to."""

from __future__ import annotations

from typing import ClassVar, Final

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from agents.models.agents import Agent, Release
from switchboard.kernel.ids import uuid7


class TestCase(models.Model):
    """A conversation with an agent, and what is expected of its answers (`agents.content.testcase`)."""

    __test__: ClassVar = False  # pytest collects whatever is called Test…

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="test_cases")
    name = models.CharField(max_length=120)
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True, size=20)
    turns = models.JSONField()
    judge_optional = models.BooleanField(
        default=False, help_text="Green without a judge model too: what it would judge is skipped."
    )
    enabled = models.BooleanField(default=True, help_text="New releases carry it, and runs include it.")
    revision = models.PositiveIntegerField(default=1)
    updated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["agent", "name"], condition=Q(deleted_at=None), name="one_test_case_per_name"
            )
        ]

    def __str__(self) -> str:
        return self.name


class TestRun(models.Model):
    """One run of all test cases that a release carries."""

    __test__: ClassVar = False

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        PASSED = "passed"
        FAILED = "failed"
        ERROR = "error"
        CANCELLED = "cancelled"

    OPEN: Final = (Status.QUEUED, Status.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="test_runs")
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    total = models.PositiveIntegerField(default=0)
    passed = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    errors = models.PositiveIntegerField(default=0, help_text="Cases that couldn't be judged: the model failed.")
    skipped = models.PositiveIntegerField(default=0, help_text="Cases that need a judge where none is configured.")
    error_code = models.CharField(max_length=60, blank=True)
    error_detail = models.CharField(max_length=300, blank=True)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["release"], condition=Q(status="queued") | Q(status="running"), name="one_open_run_per_release"
            )
        ]

    def __str__(self) -> str:
        return f"Tests of {self.release}"

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN

    @property
    def done(self) -> int:
        return self.passed + self.failed + self.errors + self.skipped

    @property
    def progress(self) -> int:
        """Percent of its cases that are done."""
        return 100 * self.done // self.total if self.total else 0


class TestResult(models.Model):
    """What one case came to in a run. `snapshot` is the case as it was run; editing it later changes nothing here."""

    __test__: ClassVar = False

    class Status(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        PASSED = "passed"
        FAILED = "failed"
        ERROR = "error"
        SKIPPED = "skipped"
        CANCELLED = "cancelled"

    OPEN: Final = (Status.QUEUED, Status.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    run = models.ForeignKey(TestRun, on_delete=models.CASCADE, related_name="results")
    case_id = models.UUIDField()
    position = models.PositiveIntegerField()
    snapshot = models.JSONField()
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    turns = models.JSONField(
        default=list, blank=True, help_text="What was said, cited and done, and how it was judged."
    )
    error_code = models.CharField(max_length=60, blank=True)
    error_detail = models.CharField(max_length=300, blank=True)
    duration_ms = models.PositiveIntegerField(default=0)
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["run", "case_id"], name="one_result_per_case")]

    def __str__(self) -> str:
        return str(self.snapshot.get("name", self.case_id))
