"""Collections, their documents, and the passages of each."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from pgvector.django import HalfVectorField, HnswIndex

from switchboard.kernel.ids import uuid7
from tenants.context import current_tenant

DIMENSIONS = 384


class Collection(models.Model):
    """A knowledge base: what a release may answer from."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    description = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    revision = models.PositiveBigIntegerField(
        default=0, editable=False, help_text="Moves, by a trigger, whenever what can be found in it changes."
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


def document_path(document: Document, filename: str) -> str:
    """Where a document's file is kept: inside the tenant's own folder, under a name that nobody chose."""
    return f"{current_tenant().schema_name}/documents/{document.id}"


class Document(models.Model):
    """One version of an uploaded file."""

    class Status(models.TextChoices):
        QUEUED = "queued"
        READING = "reading"
        EMBEDDING = "embedding"
        READY = "ready"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="documents")
    title = models.CharField(max_length=200)
    filename = models.CharField(max_length=255)
    file = models.FileField(upload_to=document_path, max_length=200)
    media_type = models.CharField(max_length=80, blank=True)
    size = models.PositiveBigIntegerField(help_text="bytes")
    sha256 = models.CharField(max_length=64)
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    progress = models.PositiveSmallIntegerField(default=0, help_text="percent")
    pages = models.PositiveIntegerField(default=0)
    passages = models.PositiveIntegerField(default=0)
    error_code = models.CharField(max_length=60, blank=True)
    error_detail = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ready_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["collection", "sha256"], name="one_document_per_content")]

    def __str__(self) -> str:
        return self.title

    @property
    def is_settled(self) -> bool:
        return self.status in {self.Status.READY, self.Status.FAILED}

    @property
    def permission_parent(self) -> Collection:
        return self.collection


class Chunk(models.Model):
    """A retrievable passage: where in its document it stands, and what finds it.

    `start` and `end` are character offsets in the page's text. A chunk exists only while its document is ready.
    """

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="chunks")
    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="+")
    ordinal = models.PositiveIntegerField()
    page = models.PositiveIntegerField()
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    heading = models.CharField(max_length=300, blank=True)
    text = models.TextField()
    embedding = HalfVectorField(dimensions=DIMENSIONS)
    words = models.GeneratedField(
        expression=SearchVector("heading", "text", config="english"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        ordering = ["document", "ordinal"]
        constraints = [models.UniqueConstraint(fields=["document", "ordinal"], name="one_chunk_per_place")]
        indexes = [
            # Without a list of what is still to be filed, which each word of each question would be looked for in,
            # and which a small tenant keeps for good: it is vacuumed only after a thousand passages.
            GinIndex(fields=["words"], name="chunk_words", fastupdate=False),
            HnswIndex(
                fields=["embedding"], name="chunk_embedding", opclasses=["halfvec_cosine_ops"], m=16, ef_construction=64
            ),
        ]

    def __str__(self) -> str:
        return f"{self.document_id} p. {self.page}"
