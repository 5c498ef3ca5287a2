"""An entry's versions: listed, compared, published, and brought back as a draft."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final, cast

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern
from django.views.decorators.http import require_POST, require_safe

from agents.diff import Change, diff_json
from agents.domain import components
from agents.domain.components import DraftChanged
from agents.domain.references import faults_of
from agents.editing.posted import revision_in
from agents.models import Component
from agents.queries import DRAFT, component_changes, version_of
from switchboard.kernel.problems import NotFound, Problem
from switchboard.model_admin import refused
from tenants.permissions import Permission

_SHOWN: Final = 200


class VersionPages:
    """Mixed into the admin of a registry."""

    def get_urls(self: Any) -> list[URLPattern]:
        return [
            self.at_path("<uuid:pk>/versions/", require_safe(self.versions_view), "versions"),
            self.at_path("<uuid:pk>/publish/", self.publish_view, "publish"),
            self.at_path("<uuid:pk>/versions/<int:number>/return/", self.return_view, "return"),
            self.at_path("<uuid:pk>/restore/", require_POST(self.restore_view), "restore"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def versions_view(self: Any, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """All versions, and what differs between any two of them or the draft."""
        row = self.entry(request, pk, Permission.AGENTS_READ)
        rows: QuerySet[Any] = row.version_model._default_manager.filter(component=row).select_related("created_by")
        versions = list(rows.defer("content")[:_SHOWN])
        sides = (
            [DRAFT, *(str(version.number) for version in versions)]
            if _draft_differs(row)
            else [str(version.number) for version in versions]
        )
        new = request.GET.get("to") or (sides[0] if sides else "")
        old = request.GET.get("from") or _before(new, sides)
        return self.page(  # type: ignore[no-any-return]
            request,
            "admin/agents/component/versions.html",
            title=f"Versions of {row}",
            original=row,
            versions=versions,
            more=row.latest_version > _SHOWN,
            sides=sides,
            old=old,
            new=new,
            changes=self._compared(row, old, new),
            has_draft=_draft_differs(row),
            **self.about_row(request, row, "versions"),
        )

    @staticmethod
    def _compared(row: Component, old: str, new: str) -> list[Change] | None:
        if not old or not new:
            return None
        if any(side != DRAFT and not (side.isascii() and side.isdecimal() and len(side) < 9) for side in (old, new)):
            raise Http404
        try:
            return component_changes(row, old, new)
        except NotFound:
            raise Http404 from None

    def publish_view(self: Any, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """What would be published, what it changes, and why."""
        row = self.entry(request, pk, Permission.AGENTS_PUBLISH)
        if request.method == "POST":
            return self._publish(request, row)  # type: ignore[no-any-return]
        return self._publish_page(request, row)  # type: ignore[no-any-return]

    def _publish_page(
        self: Any, request: HttpRequest, row: Any, *, message: str = "", refusal: str = "", status: int = 200
    ) -> HttpResponse:
        content, faults = faults_of(row.content_type, row.draft)
        latest = version_of(row, row.latest_version) if row.latest_version else None
        shown = content.as_json() if content is not None else row.draft
        return self.page(  # type: ignore[no-any-return]
            request,
            "admin/agents/component/publish.html",
            title=f"Publish {row}",
            status=status,
            original=row,
            faults=faults,
            latest=latest,
            number=row.latest_version + 1,
            changes=diff_json(latest.content, shown) if latest else diff_json({}, shown),
            message=message,
            refusal=refusal,
            **self.about_row(request, row, "publish"),
        )

    def _publish(self: Any, request: HttpRequest, row: Any) -> HttpResponse:
        message = request.POST.get("message", "").strip()
        seen = request.POST.get("draft_revision", "")
        try:
            published = components.publish(
                component=row,
                message=message,
                seen_revision=revision_in(seen),
                by=cast(Any, request.user),
            )
        except DraftChanged:
            row.refresh_from_db()
            refusal = (
                f"{row.drafted_by or 'Somebody'} changed the draft meanwhile. This is what would be published now."
            )
            return self._publish_page(request, row, message=message, refusal=refusal, status=412)  # type: ignore[no-any-return]
        except Problem as problem:
            return self._publish_page(request, row, message=message, refusal=problem.detail, status=problem.status)  # type: ignore[no-any-return]
        if published.is_new:
            messages.success(request, f"Version {published.version.number} of “{row}” is published.")
        else:
            messages.info(request, f"Nothing had changed; version {published.version.number} stays the latest.")
        return HttpResponseRedirect(self.at(row, "versions"))

    def return_view(self: Any, request: HttpRequest, pk: uuid.UUID, number: int) -> HttpResponse:
        """Make a past version the draft again, after a look at what that changes."""
        row = self.entry(request, pk, Permission.AGENTS_WRITE)
        try:
            version = version_of(row, number)
        except NotFound:
            raise Http404 from None
        if request.method != "POST":
            return self.page(  # type: ignore[no-any-return]
                request,
                "admin/agents/component/return.html",
                title=f"Bring back version {number}",
                original=row,
                version=version,
                changes=diff_json(_spelt_out(row, row.draft), version.content),
                **self.about_row(request, row, "versions"),
            )
        seen = request.POST.get("draft_revision", "")
        try:
            components.return_to_version(
                component=row,
                version=version,
                seen_revision=revision_in(seen),
                by=cast(Any, request.user),
            )
        except Problem as problem:
            return refused(request, problem)
        messages.success(request, f"Version {number} is the draft now. Publish it to use it.")
        return HttpResponseRedirect(self.at(row, self.editor_page))

    editor_page = "change"

    def restore_view(self: Any, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        row = self.entry(request, pk, Permission.AGENTS_WRITE)
        components.restore_component(component=row)
        messages.success(request, f"“{row}” is back.")
        return HttpResponseRedirect(self.at(row))


def _before(new: str, sides: list[str]) -> str:
    """What a version is compared with unless somebody chooses: the one before it."""
    if new in sides and sides.index(new) + 1 < len(sides):
        return sides[sides.index(new) + 1]
    return ""


def _spelt_out(row: Component, draft: Mapping[str, Any]) -> Mapping[str, Any]:
    """A draft with its defaults, as a version has them, so that only what was changed shows."""
    content, _ = faults_of(row.content_type, draft)
    return content.as_json() if content is not None else draft


def _draft_differs(row: Component) -> bool:
    return row.has_unpublished_changes
