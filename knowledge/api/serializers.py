"""Collections and documents as the REST API shows and takes them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from knowledge.models import Collection, Document


class CollectionSerializer(serializers.ModelSerializer[Collection]):
    """A knowledge base."""

    class Meta:
        model = Collection
        fields = ["id", "name", "slug", "description", "created_at"]
        read_only_fields = fields


class CollectionFields(serializers.Serializer[dict[str, Any]]):
    """What a collection is made of."""

    name = serializers.CharField(max_length=120)
    slug = serializers.SlugField(max_length=60)
    description = serializers.CharField(max_length=4000, required=False, allow_blank=True)


class DocumentErrorSerializer(serializers.Serializer[dict[str, str]]):
    """Why reading a document failed."""

    code = serializers.CharField()
    detail = serializers.CharField()


class DocumentSerializer(serializers.ModelSerializer[Document]):
    """A document and how far reading it has come. `progress` is in percent, `size` in bytes."""

    collection = serializers.UUIDField(source="collection_id")
    error = serializers.SerializerMethodField()

    class Meta:
        model = Document
        fields = [
            "id",
            "collection",
            "title",
            "filename",
            "media_type",
            "size",
            "sha256",
            "status",
            "progress",
            "pages",
            "passages",
            "error",
            "created_at",
            "ready_at",
        ]
        read_only_fields = fields

    @extend_schema_field(DocumentErrorSerializer(allow_null=True))
    def get_error(self, document: Document) -> dict[str, str] | None:
        return {"code": document.error_code, "detail": document.error_detail} if document.error_code else None


class DocumentFields(serializers.Serializer[dict[str, Any]]):
    """An upload: a multipart form."""

    collection = serializers.UUIDField()
    file = serializers.FileField(max_length=255, help_text="A PDF, a text file or Markdown.")
    title = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class DocumentFilters(serializers.Serializer[dict[str, Any]]):
    """What a list of documents can be narrowed down by."""

    collection = serializers.UUIDField(required=False)
    status = serializers.ChoiceField(choices=Document.Status.choices, required=False)
