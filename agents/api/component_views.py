"""The registries over REST: one view set for all of them. Thin: the rules are in agents.domain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.components import (
    ORDERINGS,
    ComponentFilters,
    PublishFields,
    Shapes,
    ValidationSerializer,
    VersionSummary,
    shapes_of,
)
from agents.api.diffs import DiffFilters, DiffSerializer, diff_response
from agents.api.people import person
from agents.domain.components import (
    DraftChanged,
    create_component,
    delete_component,
    describe_component,
    publish,
    restore_component,
    return_to_version,
    save_draft,
    validate_draft,
)
from agents.models import Agent, Component
from agents.queries import component_changes, components, version_of, versions_of
from switchboard.kernel.idempotency import idempotent
from switchboard.kernel.preconditions import IF_MATCH, check_if_match, etag_of
from switchboard.kernel.problems import Problem
from switchboard.kernel.resources import asked, checked
from tenants.api.resources import Resource
from tenants.permissions import Permission

C = TypeVar("C", bound=Component)


class ComponentViewSet(mixins.ListModelMixin, Resource[C]):
    """One registry. A subclass names its `kind`, and what else may be changed of an entry (`configure`)."""

    kind: type[C]
    shapes: ClassVar[Shapes]
    permissions: ClassVar[Mapping[str, Permission]] = {
        "list": Permission.AGENTS_READ,
        "retrieve": Permission.AGENTS_READ,
        "validate": Permission.AGENTS_READ,
        "versions": Permission.AGENTS_READ,
        "version": Permission.AGENTS_READ,
        "diff": Permission.AGENTS_READ,
        "create": Permission.AGENTS_WRITE,
        "partial_update": Permission.AGENTS_WRITE,
        "destroy": Permission.AGENTS_WRITE,
        "restore": Permission.AGENTS_WRITE,
        "return_to": Permission.AGENTS_WRITE,
        "publish": Permission.AGENTS_PUBLISH,
    }

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.what = cls.kind.word
        cls.queryset = cls.kind._default_manager.all()
        cls.shapes = shapes_of(cls.kind)
        cls.serializer_class = cls.shapes.whole
        extend_schema_view(**_operations(cls))(cls)

    def configure(self, row: C, fields: Mapping[str, Any]) -> None:
        """Change what only this registry has. Called within a transaction, with the row locked."""

    def get_queryset(self) -> QuerySet[C]:
        rows = super().get_queryset().select_related("drafted_by")
        # What was deleted is there for `restore` and, if asked for, in the list.
        return rows if self.action in {"list", "restore"} else rows.filter(deleted_at=None)

    # --- entries --------------------------------------------------------------------------------------------------

    def list(self, request: Request) -> Response:
        """Newest first, unless `ordering` says otherwise; without the drafts."""
        wanted = asked(ComponentFilters, request)
        order = ORDERINGS[wanted.pop("ordering")]
        rows = components(self.get_queryset().defer("draft"), **wanted).order_by(*order)
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(self.shapes.summary(page, many=True).data)

    @idempotent
    def create(self, request: Request) -> Response:
        """With a draft, which may be unfinished: it is used nowhere until it is published and in a release."""
        fields = checked(self.shapes.fields, request)
        with transaction.atomic():
            row = create_component(
                self.kind,
                name=fields.pop("name"),
                slug=fields.pop("slug"),
                tags=fields.pop("tags", ()),
                content=fields.pop("content", {}),
                by=person(request),
            )
            self.configure(row, fields)
        return self.created(self.found(row.pk))

    def retrieve(self, request: Request, pk: UUID) -> Response:
        """With its draft. The ETag goes into If-Match of a change."""
        return self.shown(self.found(pk))

    def partial_update(self, request: Request, pk: UUID) -> Response:
        """What is left out stays; `content` replaces the draft. With If-Match, the second of two who edit is told."""
        fields = checked(self.shapes.changes, request, partial=True)
        with transaction.atomic():
            row = self.found_as_seen(request, pk)
            content, name, tags = (
                fields.pop("content", None),
                fields.pop("name", row.name),
                fields.pop("tags", row.tags),
            )
            # First, for it may lock another row: whoever has the trail's end in hand must wait for nobody's.
            self.configure(row, fields)
            if content is not None:
                save_draft(component=row, content=content, by=person(request))
            describe_component(component=row, name=name, tags=tags)
        return self.shown(self.found(pk))

    def destroy(self, request: Request, pk: UUID) -> Response:
        """It leaves the lists and can be restored. `component_in_use` while a serving release is made of it."""
        with transaction.atomic():
            row = self.found_as_seen(request, pk)
            self._require_for_serving(row)
            delete_component(component=row)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: UUID) -> Response:
        """A deleted entry comes back as it was."""
        row = self.found(pk)
        self._require_for_serving(row)
        restore_component(component=row)
        return self.shown(self.found(pk))

    # --- the draft and its versions -------------------------------------------------------------------------------

    @action(detail=True, methods=["post"])
    def validate(self, request: Request, pk: UUID) -> Response:
        """Everything that keeps the draft from being published. Nothing is changed."""
        faults = validate_draft(component=self.found(pk))
        return Response({"valid": not faults, "faults": [fault.as_dict() for fault in faults]})

    @action(detail=True, methods=["post"])
    @idempotent
    def publish(self, request: Request, pk: UUID) -> Response:
        """The draft becomes the next version, immutable. A draft that is a version already stays that one: 200."""
        message = checked(PublishFields, request)["message"]
        with transaction.atomic():
            row = self.found_as_seen(request, pk)
            published = publish(component=row, message=message, by=person(request))
        version = published.version
        return Response(
            self.shapes.version(version).data,
            status=status.HTTP_201_CREATED if published.is_new else status.HTTP_200_OK,
            headers={"Location": reverse(f"{self.basename}-version", args=[pk, version.number])},
        )

    @action(detail=True, methods=["get"])
    def versions(self, request: Request, pk: UUID) -> Response:
        """Newest first, without their contents."""
        rows = versions_of(self.found(pk)).select_related("created_by").defer("content")
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(VersionSummary(page, many=True).data)

    @action(detail=True, methods=["get"], url_path="versions/<int:number>")
    def version(self, request: Request, pk: UUID, number: int) -> Response:
        """One version with its content. It never changes."""
        return Response(self.shapes.version(version_of(self.found(pk), number)).data)

    @action(detail=True, methods=["post"], url_path="versions/<int:number>/restore")
    def return_to(self, request: Request, pk: UUID, number: int) -> Response:
        """A past version becomes the draft again, to be published as a new one."""
        with transaction.atomic():
            row = self.found_as_seen(request, pk)
            return_to_version(component=row, version=version_of(row, number), by=person(request))
        return self.shown(self.found(pk))

    @action(detail=True, methods=["get"])
    def diff(self, request: Request, pk: UUID) -> Response:
        """From the latest version to the draft, unless you say otherwise."""
        wanted = asked(DiffFilters, request)
        return Response(diff_response(component_changes(self.found(pk), wanted["from"], wanted["to"])))

    # --------------------------------------------------------------------------------------------------------------

    def _require_for_serving(self, row: C) -> None:
        """To take an agent away from those it serves, or bring it back to them, is a publisher's to do."""
        if isinstance(row, Agent) and row.live_release_id is not None:
            self.require(Permission.AGENTS_PUBLISH, on=row)

    def found_as_seen(self, request: Request, pk: UUID) -> C:
        """As any resource's; who changed it meanwhile is named."""
        row = self.found(pk, lock=True)
        try:
            check_if_match(request, etag_of(self.get_serializer(row).data))
        except Problem:
            raise DraftChanged(row) from None
        return row


def _operations(view: type[ComponentViewSet[Any]]) -> dict[str, Any]:
    """What the document says of a registry's operations."""
    word, shapes = view.kind.word, view.shapes
    plural = str(view.kind._meta.verbose_name_plural)
    one = f"an {word}" if word[0] in "aeiou" else f"a {word}"
    described: dict[str, dict[str, Any]] = {
        "list": {"summary": f"List {plural}", "parameters": [ComponentFilters], "responses": shapes.summary(many=True)},
        "create": {"summary": f"Create {one}", "request": shapes.fields, "responses": {201: shapes.whole}},
        "retrieve": {"summary": f"Retrieve {one}", "responses": shapes.whole},
        "partial_update": {"summary": f"Change {one}", "request": shapes.changes, "responses": shapes.whole},
        "destroy": {"summary": f"Delete {one}", "parameters": [IF_MATCH], "responses": {204: None}},
        "restore": {"summary": f"Restore a deleted {word}", "request": None, "responses": shapes.whole},
        "validate": {"summary": f"Validate {one}'s draft", "request": None, "responses": ValidationSerializer},
        "publish": {
            "summary": f"Publish {one}'s draft",
            "request": PublishFields,
            "parameters": [IF_MATCH],
            "responses": {
                201: OpenApiResponse(shapes.version, description="The new version."),
                200: OpenApiResponse(shapes.version, description="The draft was this version's already."),
            },
        },
        "versions": {"summary": f"List {one}'s versions", "responses": VersionSummary(many=True)},
        "version": {"summary": f"Retrieve a version of {one}", "responses": shapes.version},
        "return_to": {
            "summary": f"Make a version {one}'s draft",
            "request": None,
            "parameters": [IF_MATCH],
            "responses": shapes.whole,
        },
        "diff": {"summary": f"Compare {one}'s versions", "parameters": [DiffFilters], "responses": DiffSerializer},
    }
    tag = plural[:1].upper() + plural[1:]
    first = plural.replace(" ", "_")
    return {
        name: extend_schema(tags=[tag], operation_id=f"{first}_{name}", **words) for name, words in described.items()
    }
