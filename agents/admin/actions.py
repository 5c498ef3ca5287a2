"""What can be done to several entries at once. Each is done by itself, so that one refusal keeps no other back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from agents.configuration.document import REGISTRIES
from agents.configuration.exporting import export
from agents.configuration.state import load
from agents.configuration.writing import as_yaml
from agents.domain import components
from agents.models import Agent
from switchboard.kernel.problems import Problem
from tenants.permissions import Permission

_MOST: Final = 200
_SECTIONS: Final = {**REGISTRIES, "agents": Agent}


class BulkActions:
    """Mixed into the admin of a registry."""

    @admin.action(description="Publish …", permissions=["publish"])
    def publish_selected(self: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        rows = [row for row in _chosen(queryset) if row.deleted_at is None]
        for row in rows:
            self.require(request, Permission.AGENTS_PUBLISH, on=row)
        if "confirmed" not in request.POST:
            return _confirmation(self, request, rows, "publish")
        message = request.POST.get("message", "").strip()
        done = _each(
            request,
            rows,
            lambda row: components.publish(component=row, message=message, by=cast(Any, request.user)).is_new,
        )
        _tell(request, done, "published", "Nothing had changed in what you chose.")
        return None

    @admin.action(description="Add or remove a tag …", permissions=["write"])
    def tag_selected(self: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        rows = _chosen(queryset)
        for row in rows:
            self.require(request, Permission.AGENTS_WRITE, on=row)
        if "confirmed" not in request.POST:
            return _confirmation(self, request, rows, "tag")
        tag, removes = request.POST.get("tag", "").strip(), request.POST.get("way") == "remove"

        def change(row: Any) -> bool:
            before = list(row.tags)
            tags = [one for one in before if one != tag] if removes else [*before, tag]
            components.describe_component(component=row, name=row.name, tags=tags)
            return (tag in before) is removes

        done = _each(request, rows, change) if tag else 0
        _tell(request, done, "changed", "No tag was changed.")
        return None

    @admin.action(description="Restore", permissions=["write"])
    def restore_selected(self: Any, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        def restore(row: Any) -> bool:
            self.require(request, Permission.AGENTS_WRITE, on=row)
            components.restore_component(component=row)
            return True

        done = _each(request, [row for row in _chosen(queryset) if row.deleted_at is not None], restore)
        _tell(request, done, "restored", "None of these is deleted.")

    @admin.action(description="Export as YAML")
    def export_selected(self: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        """What is published of them, as a document that `manage.py config` and the API take."""
        section = next(name for name, kind in _SECTIONS.items() if kind is self.model)
        published = [row for row in _chosen(queryset) if row.latest_version and row.deleted_at is None]
        if not published:
            messages.info(request, "Nothing of these is published yet, so there is nothing to export.")
            return None
        document = export(load(), only=[f"{section}/{row.slug}" for row in published])
        return HttpResponse(
            as_yaml(document.data),
            content_type="application/yaml; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{section}.yaml"'},
        )

    def delete_queryset(self: Any, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        def delete(row: Any) -> bool:
            self.require(request, Permission.AGENTS_WRITE, on=row)
            components.delete_component(component=row)
            return True

        _each(request, _chosen(queryset), delete)

    def remove(self: Any, request: HttpRequest, row: Any) -> None:
        components.delete_component(component=row)


def _chosen(queryset: QuerySet[Any]) -> list[Any]:
    return list(queryset[:_MOST])


def _each(request: HttpRequest, rows: list[Any], act: Callable[[Any], bool]) -> int:
    """Do something to each; a refusal is told and passed over. Returns how many were changed by it."""
    done = 0
    for row in rows:
        try:
            done += bool(act(row))
        except Problem as problem:
            reasons = "; ".join(error["message"] for error in problem.errors[:3]) if problem.errors else ""
            messages.error(request, f"{row}: {problem.detail} {reasons}".strip())
    return done


def _tell(request: HttpRequest, done: int, verb: str, nothing: str) -> None:
    if done:
        messages.success(request, f"{done} {'entry was' if done == 1 else 'entries were'} {verb}.")
    else:
        messages.info(request, nothing)


def _confirmation(pages: Any, request: HttpRequest, rows: list[Any], what: str) -> HttpResponse:
    return pages.page(  # type: ignore[no-any-return]
        request,
        "admin/agents/component/bulk.html",
        title="Publish" if what == "publish" else "Tag",
        rows=rows,
        what=what,
        action=f"{what}_selected",
        checkbox=ACTION_CHECKBOX_NAME,
        list_url=request.get_full_path(),
    )
