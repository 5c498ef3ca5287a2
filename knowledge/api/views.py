"""Collections and documents over REST. Thin: the rules are in knowledge.domain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

from knowledge.api.serializers import (
    CollectionFields,
    CollectionSerializer,
    DocumentFields,
    DocumentFilters,
    DocumentSerializer,
)
from knowledge.domain.collection import create_collection, delete_collection, update_collection
from knowledge.domain.documents import accept_document, delete_document, retry_document
from knowledge.models import Collection, Document
from switchboard.kernel.files import download
from switchboard.kernel.idempotency import idempotent
from switchboard.kernel.parsers import UploadParser
from switchboard.kernel.problems import Invalid, NotFound
from switchboard.kernel.resources import asked, checked
from tenants.api.resources import Resource
from tenants.permissions import Permission


@extend_schema(tags=["Collections"])
class CollectionViewSet(mixins.ListModelMixin, Resource[Collection]):
    """Knowledge bases: what a release may answer from."""

    permissions: ClassVar[Mapping[str, Permission]] = {
        "list": Permission.KNOWLEDGE_READ,
        "create": Permission.KNOWLEDGE_WRITE,
        "retrieve": Permission.KNOWLEDGE_READ,
        "partial_update": Permission.KNOWLEDGE_WRITE,
        "destroy": Permission.KNOWLEDGE_WRITE,
    }
    serializer_class = CollectionSerializer
    queryset = Collection.objects.all()
    what = "collection"

    @extend_schema(summary="List collections")
    def list(self, request: Request) -> Response:
        """Newest first."""
        return super().list(request)

    @extend_schema(summary="Create a collection", request=CollectionFields, responses={201: CollectionSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """A new, empty collection."""
        return self.created(create_collection(**checked(CollectionFields, request)))

    @extend_schema(summary="Retrieve a collection")
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One collection; its ETag goes into If-Match of a change."""
        return self.shown(self.found(pk))

    @extend_schema(summary="Change a collection", request=CollectionFields, responses=CollectionSerializer)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Fields that are left out stay as they are. With If-Match, a change made meanwhile is not overwritten."""
        changes = checked(CollectionFields, request, partial=True)
        with transaction.atomic():
            row = self.found_as_seen(request, pk)
            kept = {"name": row.name, "slug": row.slug, "description": row.description}
            update_collection(collection=row, **{**kept, **changes})
        return self.shown(self.found(pk))

    @extend_schema(summary="Delete a collection", responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Only an empty collection: `collection_not_empty` while it has documents."""
        delete_collection(collection=self.found(pk))
        return Response(status=status.HTTP_204_NO_CONTENT)


class _AnyType(DefaultContentNegotiation):
    """A file has the type it has; refusals are problem+json."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


@extend_schema(tags=["Documents"])
class DocumentViewSet(mixins.ListModelMixin, Resource[Document]):
    """Uploaded files and what became of them."""

    permissions: ClassVar[Mapping[str, Permission]] = {
        "list": Permission.KNOWLEDGE_READ,
        "create": Permission.KNOWLEDGE_WRITE,
        "retrieve": Permission.KNOWLEDGE_READ,
        "destroy": Permission.KNOWLEDGE_WRITE,
        "retry": Permission.KNOWLEDGE_WRITE,
        "file": Permission.KNOWLEDGE_READ,
    }
    serializer_class = DocumentSerializer
    queryset = Document.objects.all()
    what = "document"

    # The schema generator names the request body's type by these.
    upload_parsers: ClassVar = [UploadParser]

    def get_parsers(self) -> Any:
        if getattr(self, "action_map", {}).get("post") == "create":
            return [parser() for parser in self.upload_parsers]
        return super().get_parsers()

    @extend_schema(summary="List documents", parameters=[DocumentFilters])
    def list(self, request: Request) -> Response:
        """Newest first; of one collection, or in one state, if asked."""
        filters = asked(DocumentFilters, request)
        wanted = {"collection_id": filters.get("collection"), "status": filters.get("status")}
        rows = self.get_queryset().filter(**{name: value for name, value in wanted.items() if value is not None})
        return self.listed(rows)

    @extend_schema(
        summary="Upload a document",
        request={"multipart/form-data": DocumentFields},
        responses={202: DocumentSerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """The file is judged at once and read in the background: follow `status` and `progress` at `Location`."""
        fields = checked(DocumentFields, request)
        collection = Collection.objects.filter(pk=fields["collection"]).first()
        if collection is None:
            raise Invalid("unknown_collection", "There is no such collection.", field="collection")
        document = accept_document(collection=collection, upload=fields["file"], title=fields["title"])
        return self.created(document, status=status.HTTP_202_ACCEPTED)

    @extend_schema(summary="Retrieve a document")
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One document with its state, its progress and, where reading it failed, the reason."""
        return self.shown(self.found(pk))

    @extend_schema(summary="Delete a document", responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """The document, its passages and its file. Answers no longer draw on it from now on."""
        delete_document(document=self.found(pk))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(summary="Read a failed document again", request=None, responses={202: DocumentSerializer})
    @action(detail=True, methods=["post"])
    @idempotent
    def retry(self, request: Request, pk: UUID) -> Response:
        """Only for a document whose status is `failed`."""
        retry_document(document=self.found(pk))
        return self.created(self.found(pk), status=status.HTTP_202_ACCEPTED)

    @extend_schema(
        summary="Download a document's file",
        responses={(200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY)},
    )
    @action(detail=True, methods=["get"], content_negotiation_class=_AnyType)
    def file(self, request: Request, pk: UUID) -> StreamingHttpResponse:
        """The file as it was uploaded."""
        document = self.found(pk)
        try:
            content = document.file.open("rb")
        except FileNotFoundError:
            raise NotFound("file") from None
        return download(request._request, content, filename=document.filename, size=document.size)
