"""Answers kept to be given again."""

from __future__ import annotations

from django.db import models
from pgvector.django import HalfVectorField

from knowledge.models import DIMENSIONS
from switchboard.kernel.ids import uuid7


class CachedAnswer(models.Model):
    """An answer of one release from its documents as they stood, to one question."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    release_id = models.UUIDField()
    knowledge = models.CharField(max_length=64, help_text="Digest of the documents' revisions it was made from.")
    question = models.TextField(help_text="In lower case, without what changes nothing.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the question.")
    embedding = HalfVectorField(dimensions=DIMENSIONS, null=True)
    answer = models.TextField()
    citations = models.JSONField(default=list, blank=True, help_text="Without their links, which are signed anew.")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["release_id", "knowledge", "digest"], name="one_answer_per_question")
        ]
        indexes = [models.Index(fields=["expires_at"], name="cached_answers_by_expiry")]

    def __str__(self) -> str:
        return self.question[:60]
