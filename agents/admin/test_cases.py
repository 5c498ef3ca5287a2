"""Test cases in the staff's admin."""

from __future__ import annotations

import uuid
from typing import Any, Final, cast

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.views.decorators.http import require_POST

from agents.admin.test_runs import RunPages
from agents.case_forms import EMPTY_TURNS, CaseForm, as_text
from agents.domain.test_cases import create_test_case, delete_test_case, restore_test_case, update_test_case
from agents.models import Agent, TestCase, Tool
from knowledge.models import Document
from switchboard.admin import staff_site
from switchboard.kernel.problems import Problem
from switchboard.model_admin import RowPageAdmin, refused, show_in_form
from tenants.permissions import Permission, allows

_MOST_OFFERED: Final = 200  # names an editor suggests


class CaseStateFilter(admin.SimpleListFilter):
    """Deleted cases show only to whoever asks for them."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("off", "Switched off"), ("deleted", "Deleted")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[TestCase]) -> QuerySet[TestCase]:
        rows = queryset.filter(deleted_at__isnull=self.value() != "deleted")
        return rows.filter(enabled=False) if self.value() == "off" else rows


@admin.register(TestCase, site=staff_site)
class TestCaseAdmin(RunPages, RowPageAdmin):
    can_add = can_change = can_delete = True
    view_permission, change_permission = Permission.AGENTS_READ, Permission.AGENTS_WRITE
    list_display = ("title_cell", "agent_cell", "asks_cell", "state_cell", "updated_at")
    list_display_links = None
    list_select_related = ("agent",)
    list_filter = (CaseStateFilter, "agent")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("name", "tags__icontains")
    actions = ("switch_off", "switch_on")

    def _allows(self, request: HttpRequest, permission: Permission | None, on: Model | None) -> bool:
        # Whoever may do more with one agent may do so with its cases.
        target = on.agent if isinstance(on, TestCase) else on
        return permission is not None and allows(request.user, permission, on=target)

    # --- the list -----------------------------------------------------------------------------------------------------

    @admin.display(description="Test case", ordering="name")
    def title_cell(self, row: TestCase) -> str:
        tags = format_html_join("", '<span class="sb-tag">{}</span>', ((tag,) for tag in row.tags))
        return format_html(
            '<div><a class="sb-name" href="{}"><strong>{}</strong></a><span class="sb-tags">{}</span></div>',
            _page(row),
            row.name,
            tags,
        )

    @admin.display(description="Agent", ordering="agent__name")
    def agent_cell(self, row: TestCase) -> str:
        address = reverse("admin:agents_agent_change", args=[row.agent_id])
        return format_html('<a class="sb-link" href="{}">{}</a>', address, row.agent)

    @admin.display(description="Asks")
    def asks_cell(self, row: TestCase) -> str:
        turns = len(row.turns)
        more = f" and {turns - 1} more" if turns > 1 else ""
        return format_html('<span class="sb-clamped">{}{}</span>', row.turns[0]["say"][:200], more)

    @admin.display(description="State", ordering="enabled")
    def state_cell(self, row: TestCase) -> str:
        style, word = ("sb-good", "On") if row.enabled else ("", "Off")
        if row.deleted_at is not None:
            style, word = "", "Deleted"
        return format_html('<span class="sb-badge {}">{}</span>', style, word)

    @admin.action(description="Switch off", permissions=["write"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[TestCase]) -> None:
        self._switch(request, queryset, enabled=False)

    @admin.action(description="Switch on", permissions=["write"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[TestCase]) -> None:
        self._switch(request, queryset, enabled=True)

    def _switch(self, request: HttpRequest, rows: QuerySet[TestCase], *, enabled: bool) -> None:
        changed = 0
        for row in rows.select_related("agent"):
            self.require(request, self.change_permission, on=row.agent)
            try:
                update_test_case(case=row, enabled=enabled, by=cast(Any, request.user))
                changed += 1
            except Problem as problem:
                messages.error(request, problem.detail)
        if changed:
            word = "test case is" if changed == 1 else "test cases are"
            messages.success(request, f"{changed} {word} switched {'on' if enabled else 'off'}.")

    # --- one case -----------------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        restore = self.admin_site.admin_view(require_POST(self.restore_view))
        return [
            path("<uuid:pk>/restore/", restore, name="agents_testcase_restore"),
            *self.run_urls(),
            *super().get_urls(),
        ]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self.require(request, self.change_permission)
        initial = {"turns": as_text(EMPTY_TURNS), "enabled": True, "agent": request.GET.get("agent")}
        form = CaseForm(request.POST or None, case=None, initial=initial)
        if request.method == "POST" and form.is_valid():
            values = {name: value for name, value in form.cleaned_data.items() if name != "seen"}
            try:
                made = create_test_case(**values, by=cast(Any, request.user))
            except Problem as problem:
                show_in_form(form, problem)
            else:
                messages.success(request, f"“{made}” is made. Releases made from now on carry it.")
                return HttpResponseRedirect(_page(made))
        return self._editor(request, None, form)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "POST":
            found = self.get_object(request, object_id)
            self.require(request, self.change_permission, on=found.agent if found else None)
        return super().change_view(request, object_id, form_url, extra_context)

    def row_page(self, request: HttpRequest, row: TestCase) -> HttpResponse:
        if request.method != "POST":
            return self._editor(request, row, CaseForm(case=row, initial=CaseForm.values_of(row)))
        form, theirs = CaseForm(request.POST, case=row), None
        if form.is_valid():
            values = dict(form.cleaned_data)
            try:
                update_test_case(case=row, seen_revision=values.pop("seen"), by=cast(Any, request.user), **values)
            except Problem as problem:
                if problem.code != "stale":
                    show_in_form(form, problem)
                else:
                    # What they typed stays, beside what is there now; saving again is then meant.
                    theirs = TestCase.objects.select_related("agent", "updated_by").get(pk=row.pk)
                    form = CaseForm({**request.POST.dict(), "seen": theirs.revision}, case=theirs)
            else:
                messages.success(request, "Saved. Results keep the case as it was when it was run.")
                return HttpResponseRedirect(_page(row))
        return self._editor(request, row, form, theirs=theirs)

    def restore_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        row = self.case(request, pk, self.change_permission)
        try:
            restore_test_case(case=row)
        except Problem as problem:
            return refused(request, problem, to=_page(row))
        messages.success(request, f"“{row}” is back.")
        return HttpResponseRedirect(_page(row))

    def remove(self, request: HttpRequest, row: Model) -> None:
        assert isinstance(row, TestCase)
        delete_test_case(case=row)

    def case(self, request: HttpRequest, pk: uuid.UUID, permission: Permission | None) -> TestCase:
        """A case, for whoever has a permission on its agent."""
        row = TestCase.objects.select_related("agent").filter(pk=pk).first()
        self.require(request, permission, on=row.agent if row else None)
        if row is None:
            raise Http404
        return row

    def _editor(
        self, request: HttpRequest, case: TestCase | None, form: CaseForm, *, theirs: TestCase | None = None
    ) -> HttpResponse:
        may_change = self.has_write_permission(request, case) and (case is None or case.deleted_at is None)
        return self.page(
            request,
            "admin/agents/testcase/editor.html",
            title=str(case) if case else "New test case",
            status=422 if form.errors else 412 if theirs else 200,
            original=case,
            case=theirs or case,
            theirs=theirs,
            theirs_text=as_text(theirs.turns) if theirs else "",
            form=form,
            may_change=may_change,
            may_restore=self.has_write_permission(request, case),
            is_fullwidth="1",
            suggestions={
                "documents": list(Document.objects.order_by("title").values_list("title", flat=True)[:_MOST_OFFERED]),
                "tools": list(_slugs(Tool)),
                "agents": list(_slugs(Agent)),
            },
        )


def _slugs(kind: type[Tool] | type[Agent]) -> Any:
    rows: Any = kind._default_manager.filter(deleted_at=None)
    return rows.order_by("slug").values_list("slug", flat=True)[:_MOST_OFFERED]


def _page(row: TestCase) -> str:
    return reverse("admin:agents_testcase_change", args=[row.pk])
