"""What the pages of all five registries share: permissions, the editor, versions, and the list's columns."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, TypeVar, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from agents.admin.actions import BulkActions
from agents.admin.lists import RegistryList, StateFilter, TagFilter
from agents.admin.versions import VersionPages
from agents.choices import serving_agents
from agents.content.base import read
from agents.diff import diff_json
from agents.domain.components import DraftChanged, create_component, describe_component, save_draft
from agents.domain.references import faults_of
from agents.editing.fields import Choices, place_faults, sections_of
from agents.editing.posted import posted_content, revision_in
from agents.forms import NewEntryForm
from agents.models import Component
from switchboard.kernel.problems import Problem
from switchboard.model_admin import RowPageAdmin, show_in_form
from tenants.permissions import Permission

C = TypeVar("C", bound=Component)
_VERSIONS_BESIDE: Final = 5
_AGENTS_NAMED: Final = 8


class ComponentAdmin(BulkActions, VersionPages, RowPageAdmin):
    """The pages of one registry."""

    view_permission = Permission.AGENTS_READ
    change_permission = Permission.AGENTS_WRITE
    publish_permission = Permission.AGENTS_PUBLISH
    can_add = can_change = can_delete = True
    list_display: Sequence[str] = ("title_cell", "state_cell", "version_cell", "uses_cell", "changed_cell")
    list_display_links = None
    list_select_related: tuple[str, ...] = ("drafted_by",)
    list_filter = (StateFilter, TagFilter)
    search_fields = ("name", "slug", "tags__icontains")
    list_per_page = 50
    show_full_result_count = False
    change_list_template = "admin/agents/component/list.html"
    actions = ("publish_selected", "tag_selected", "export_selected", "restore_selected")

    icon: ClassVar[str] = "notes"
    palette_fields = ("name", "slug")
    about: ClassVar[str] = ""
    starting: ClassVar[Mapping[str, Any]] = {}

    # --- the list -------------------------------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[RegistryList]:
        return RegistryList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("draft")  # type: ignore[no-any-return]

    @admin.display(description="Name", ordering="name")
    def title_cell(self, row: Component) -> str:
        return self._cell("title", row)

    @admin.display(description="State")
    def state_cell(self, row: Component) -> str:
        return self._cell("state", row)

    @admin.display(description="Latest", ordering="latest_version")
    def version_cell(self, row: Component) -> str:
        return self._cell("version", row)

    @admin.display(description="In use by")
    def uses_cell(self, row: Component) -> str:
        return self._cell("uses", row)

    @admin.display(description="Changed", ordering="drafted_at")
    def changed_cell(self, row: Component) -> str:
        return self._cell("changed", row)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        is_first = not self.model._default_manager.exists()
        mine = {"icon": self.icon, "about": self.about, "add_url": reverse(self.url_name("add")), "is_first": is_first}
        return super().changelist_view(request, extra_context={**mine, **(extra_context or {})})

    def _cell(self, name: str, row: Any) -> str:
        return render_to_string(f"admin/agents/component/cells/{name}.html", {"row": row, "address": self.at(row)})

    @property
    def palette_icon(self) -> str:  # type: ignore[override]
        return self.icon

    def palette_queryset(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model._default_manager.filter(deleted_at=None)
        return rows.only("name", "slug")

    # --- one entry ------------------------------------------------------------------------------------------------

    def at(self, row: Component, page: str = "change", *args: object) -> str:
        """The address of one of an entry's pages."""
        return reverse(self.url_name(page), args=[row.pk, *args])

    def url_name(self, page: str) -> str:
        return f"admin:agents_{self.opts.model_name}_{page}"

    def get_urls(self) -> list[URLPattern]:
        return [self.at_path("<uuid:pk>/check/", require_POST(self.check_view), "check"), *super().get_urls()]

    def at_path(self, route: str, view: Any, page: str) -> URLPattern:
        """A page of our own, for whoever is signed in; the page asks for more."""
        page_of: URLPattern = path(
            route, self.admin_site.admin_view(view), name=f"agents_{self.opts.model_name}_{page}"
        )
        return page_of

    def entry(self, request: HttpRequest, pk: uuid.UUID | str, permission: Permission) -> Any:
        """An entry, deleted or not, for whoever has a permission on it."""
        return self.row(request, permission, self.model._default_manager.select_related("drafted_by"), pk=pk)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "POST":
            self.require(request, self.change_permission, on=self.get_object(request, object_id))
        return super().change_view(request, object_id, form_url, extra_context)

    def choices(self) -> Choices:
        """What the selects of its editor choose from."""
        return {}

    def row_page(self, request: HttpRequest, row: Any) -> HttpResponse:
        return self.edit_view(request, row)

    def edit_view(self, request: HttpRequest, row: Any) -> HttpResponse:
        """The editor: of its draft, its name and its tags."""
        if request.method == "POST":
            return self._save(request, row)
        # Nobody is told off for what they haven't begun.
        begun = row.latest_version or row.draft_revision > 1
        faults = faults_of(row.content_type, row.draft)[1] if begun else ()
        return self.editor(request, row, content=row.draft, faults=faults)

    def editor(
        self,
        request: HttpRequest,
        row: Any,
        *,
        content: Mapping[str, Any],
        faults: Any = (),
        labels: Mapping[str, str] | None = None,
        seen: int | None = None,
        refusal: str = "",
        notice: str = "",
        status: int = 200,
    ) -> HttpResponse:
        """The editor's page with a content in its form, which need not be the draft."""
        sections = sections_of(row.content_type, content, self.choices())
        homeless = place_faults(sections, faults)
        versions: Any = row.version_model._default_manager.filter(component=row).select_related("created_by")
        users = list(serving_agents(row).order_by("name").only("name")[: _AGENTS_NAMED + 1])
        return self.page(
            request,
            f"admin/agents/component/{self.opts.model_name}.html",
            title=str(row),
            status=status,
            original=row,
            is_fullwidth="1",
            sections=sections,
            labels=labels or {"name": row.name, "tags": "\n".join(row.tags)},
            homeless=homeless,
            refusal=refusal,
            notice=notice,
            seen=row.draft_revision if seen is None else seen,
            versions=versions.defer("content")[:_VERSIONS_BESIDE],
            users=users[:_AGENTS_NAMED],
            more_users=len(users) > _AGENTS_NAMED,
            **self.about_row(request, row, "edit"),
        )

    def about_row(self, request: HttpRequest, row: Any, tab: str) -> dict[str, Any]:
        """What the frame of each of an entry's pages shows."""
        may_write = self.has_write_permission(request, row) and row.deleted_at is None
        return {
            "row": row,
            "icon": self.icon,
            "tab": tab,
            "may_write": may_write,
            "is_read_only": not may_write,
            "may_restore": self.has_write_permission(request, row),
            "may_publish": self.has_publish_permission(request, row) and row.deleted_at is None,
            "urls": {page: self.at(row, page) for page in self.tabs()},
            "list_url": reverse(self.url_name("changelist")),
            "edit_url": self.at(row, self.editor_page),
            "return_name": self.url_name("return"),
        }

    def tabs(self) -> Sequence[str]:
        return ("change", "versions", "publish", "check", "delete", "restore")

    def _save(self, request: HttpRequest, row: Any) -> HttpResponse:
        content = posted_content(row.content_type, request.POST)
        labels = {"name": request.POST.get("name", row.name), "tags": request.POST.get("tags", "")}
        seen = revision_in(request.POST.get("draft_revision"))
        if request.POST.get("action") == "merge":
            notice = "You are editing your own text. What the other person saved is kept until you save."
            return self.editor(request, row, content=content, labels=labels, seen=seen, notice=notice)
        try:
            if seen != row.draft_revision or not _same(row, content):
                save_draft(component=row, content=content, seen_revision=seen, by=cast(Any, request.user))
            tags = labels["tags"].split("\n")
            if labels["name"].strip() != row.name or [tag.strip() for tag in tags if tag.strip()] != row.tags:
                describe_component(component=row, name=labels["name"], tags=tags)
            self.saved(request, row)
        except DraftChanged as problem:
            row.refresh_from_db()
            return self._conflict(request, row, content, labels, problem)
        except Problem as problem:
            return self.editor(
                request, row, content=content, labels=labels, seen=seen, refusal=problem.detail, status=problem.status
            )
        if request.POST.get("action") == "publish":
            return HttpResponseRedirect(self.at(row, "publish"))
        messages.success(request, "The draft is saved. It is used once it is published and in a live release.")
        return HttpResponseRedirect(self.after_save(row))

    def after_save(self, row: Any) -> str:
        return self.at(row)

    def saved(self, request: HttpRequest, row: Any) -> None:
        """What an editor keeps beside the draft."""

    def _conflict(
        self, request: HttpRequest, row: Any, content: Mapping[str, Any], labels: Mapping[str, str], problem: Problem
    ) -> HttpResponse:
        """Two people edited the same draft: both texts, and what to do about it."""
        return self.page(
            request,
            "admin/agents/component/conflict.html",
            title=f"Two drafts of {row}",
            status=problem.status,
            original=row,
            problem=problem.detail,
            changes=diff_json(row.draft, content),
            yours_json=json.dumps(content),
            is_default="is_default" in request.POST,
            labels=labels,
            **self.about_row(request, row, "edit"),
        )

    def check_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """What is wrong with a form as it stands, while somebody types."""
        row = self.entry(request, pk, Permission.AGENTS_READ)
        _, faults = faults_of(row.content_type, posted_content(row.content_type, request.POST))
        sections = sections_of(row.content_type, posted_content(row.content_type, request.POST), {})
        homeless = place_faults(sections, faults)
        placed = {
            one.path: one.faults for section in sections for top in section.fields for one in top.all() if one.faults
        }
        return JsonResponse({"faults": placed, "others": homeless}, headers={"Cache-Control": "no-store"})

    # --- a new one ------------------------------------------------------------------------------------------------

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self.require(request, self.change_permission)
        form = NewEntryForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                made = create_component(
                    self.model, **form.cleaned_data, content=dict(self.starting), by=cast(Any, request.user)
                )
            except Problem as problem:
                show_in_form(form, problem)
            else:
                return HttpResponseRedirect(self.at(made))
        return self.page(
            request,
            "admin/agents/component/new.html",
            title=f"New {self.opts.verbose_name}",
            status=422 if form.errors else 200,
            form=form,
            icon=self.icon,
            about=self.about,
            list_url=reverse(self.url_name("changelist")),
        )


def _same(row: Component, content: Mapping[str, Any]) -> bool:
    """Whether a form says what the draft says, whichever of the two spells its defaults out."""
    before, after = read(row.content_type, row.draft)[0], read(row.content_type, content)[0]
    return row.draft == content or (before is not None and before == after)
