"""Feature flags in both admins: a tenant's own on its site, the operators' for all tenants on theirs."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from switchboard.admin import operator_site, staff_site
from switchboard.kernel.problems import Conflict, Problem
from switchboard.model_admin import RowPageAdmin, refused, show_in_form
from tenants.context import PUBLIC_SCHEMA, current_scope
from tenants.flags import current
from tenants.flags.domain.flags import create_flag, delete_flag, restore_flag, switch_flag, update_flag
from tenants.flags.evaluation import NO_FLAGS, CompiledFlag, Evaluation, evaluate
from tenants.flags.forms import FlagForm, TryForm
from tenants.flags.models import Flag
from tenants.flags.wording import reason_words, rule_words
from tenants.permissions import Permission


class DeletedFilter(admin.SimpleListFilter):
    """Deleted flags are shown apart."""

    title = "Deleted"
    parameter_name = "deleted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Deleted ones")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Flag]) -> QuerySet[Flag]:
        return queryset.filter(deleted_at__isnull=self.value() != "yes")


@admin.register(Flag, site=staff_site)
class FlagAdmin(RowPageAdmin):
    can_add = can_change = can_delete = True
    view_permission, change_permission = Permission.FLAGS_READ, Permission.FLAGS_WRITE
    list_display = ("name", "state", "in_words", "updated_at", "switch")
    list_display_links = None
    list_filter = ("enabled", DeletedFilter)
    list_filter_submit = False
    search_fields = ("key", "description")
    for_everybody = "everybody in your company"

    # --- the list -----------------------------------------------------------------------------------------------------

    @admin.display(description="Flag", ordering="key")
    def name(self, row: Flag) -> str:
        return format_html(
            '<a class="sb-name sb-flag-name" href="{}"><strong>{}</strong><span>{}</span></a>',
            _page(row),
            row.key,
            row.description,
        )

    @admin.display(description="State", ordering="enabled")
    def state(self, row: Flag) -> str:
        if row.deleted_at is not None:
            return format_html('<span class="sb-badge">{}</span>', "Deleted")
        if not row.enabled:
            return format_html('<span class="sb-badge sb-bad">{}</span>', "Switched off")
        if not row.rules:
            style, word = ("sb-good", "On") if row.default else ("", "Off")
            return format_html('<span class="sb-badge {}">{}</span>', style, word)
        return format_html('<span class="sb-badge sb-busy">{}</span>', "By rules")

    @admin.display(description="Rules")
    def in_words(self, row: Flag) -> str:
        if not row.rules:
            return "-"
        more = f" (and {len(row.rules) - 1} more)" if len(row.rules) > 1 else ""
        return format_html('<span class="sb-clamped">{}{}</span>', _words(row)[0], more)

    @admin.display(description="")
    def switch(self, row: Flag) -> str:
        if row.deleted_at is not None:
            # The list is a form of its own, so a button only says where to send it.
            return _button(_page(row, "restore"), "Restore", row)
        if row.enabled:
            return format_html(
                '<a class="sb-button sb-small sb-danger" href="{}" aria-label="Switch {} off">Switch off</a>',
                _page(row, "kill"),
                row.key,
            )
        return _button(_page(row, "on"), "Switch on", row)

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        writes = self.has_change_permission(request)
        return tuple(name for name in self.list_display if writes or name != "switch")

    # --- one flag -----------------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("try/", wrap(require_POST(self.try_view)), name="flags_flag_try_new"),
            path("<uuid:pk>/try/", wrap(require_POST(self.try_view)), name="flags_flag_try"),
            path("<uuid:pk>/kill/", wrap(self.kill_view), name="flags_flag_kill"),
            path("<uuid:pk>/on/", wrap(require_POST(self.on_view)), name="flags_flag_on"),
            path("<uuid:pk>/restore/", wrap(require_POST(self.restore_view)), name="flags_flag_restore"),
            *super().get_urls(),
        ]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self.require(request, self.change_permission)
        form = FlagForm(request.POST or None, flag=None, initial={"rules": "[]", "default": "off"})
        if request.method == "POST" and form.is_valid():
            values = {name: value for name, value in form.cleaned_data.items() if name != "seen"}
            try:
                made = create_flag(**values)
            except Problem as problem:
                show_in_form(form, problem)
            else:
                messages.success(request, f"“{made}” is made.")
                return HttpResponseRedirect(_page(made))
        return self._editor(request, None, form)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "POST":
            self.require(request, self.change_permission)
        return super().change_view(request, object_id, form_url, extra_context)

    def row_page(self, request: HttpRequest, row: Flag) -> HttpResponse:
        if request.method != "POST":
            return self._editor(request, row, FlagForm(flag=row, initial=FlagForm.values_of(row)))
        form, theirs = FlagForm(request.POST, flag=row), None
        if form.is_valid():
            try:
                update_flag(flag=row, **form.cleaned_data)
            except Conflict as conflict:
                if conflict.code != "flag_changed":
                    return refused(request, conflict)
                # What they typed stays, beside what is there now; saving again is then meant.
                theirs = Flag.objects.get(pk=row.pk)
                form = FlagForm({**request.POST.dict(), "seen": theirs.revision}, flag=theirs)
            except Problem as problem:
                show_in_form(form, problem)
            else:
                messages.success(
                    request, f"“{row}” is saved. Every server follows within {current.MEMORY_SECONDS:g} s."
                )
                return HttpResponseRedirect(_page(row))
        return self._editor(request, theirs or row, form, theirs=theirs)

    def _editor(
        self,
        request: HttpRequest,
        row: Flag | None,
        form: FlagForm,
        *,
        theirs: Flag | None = None,
        trial: TryForm | None = None,
        answer: Evaluation | None = None,
    ) -> HttpResponse:
        form.is_valid()
        if trial is None:
            scope = current_scope()
            shown = {"rules": form["rules"].value(), "default": form["default"].value()}
            trial = TryForm(initial={**shown, "tier": scope.tier if scope else ""})
        return self.page(
            request,
            "admin/flags/flag/editor.html",
            title=row.key if row else "New flag",
            status=409 if theirs else 422 if form.errors else 200,
            original=row,
            flag=row,
            form=form,
            theirs=theirs,
            their_rules=_words(theirs) if theirs else [],
            in_words=_words(row) if row else [],
            trial=trial,
            answer=answer,
            why=reason_words(answer) if answer else "",
            may_change=self.has_change_permission(request, row),
            for_everybody=self.for_everybody,
        )

    def try_view(self, request: HttpRequest, pk: uuid.UUID | None = None) -> HttpResponse:
        """What the flag would be for somebody, by the rules as they stand in the editor. Nothing is saved."""
        if pk is None:
            self.require(request, self.view_permission)
        row = self.row(request, self.view_permission, Flag.objects.all(), pk=pk) if pk else None
        trial, answer = TryForm(request.POST), None
        if trial.is_valid():
            answer = self._tried(row, request.POST.get("key", ""), trial)
        if request.headers.get("X-Fragment"):
            why = reason_words(answer) if answer else ""
            return self.page(request, "admin/flags/flag/answer.html", title="", trial=trial, answer=answer, why=why)
        form = FlagForm(flag=row, initial=FlagForm.values_of(row) if row else {"rules": "[]"})
        return self._editor(request, row, form, trial=trial, answer=answer)

    def _tried(self, row: Flag | None, key: str, trial: TryForm) -> Evaluation:
        key = row.key if row else key or "new"
        draft = CompiledFlag(
            key=key,
            enabled=row is None or row.enabled,
            rules=trial.cleaned_data["rules"],
            default=trial.cleaned_data["default"] == "on",
        )
        scope = current_scope()
        platform = NO_FLAGS if scope is None or scope.is_public else current.flag_sets.find(PUBLIC_SCHEMA)
        at = trial.cleaned_data["at"]
        now = at.timestamp() if at else time.time()
        return evaluate(key, trial.context(), own={key: draft}, platform=platform, facts=trial.facts(), now=now)

    # --- switches -----------------------------------------------------------------------------------------------------

    def kill_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """The kill switch, after one more question."""
        row = self._changeable(request, pk)
        if request.method != "POST":
            return self.page(
                request,
                "admin/flags/flag/kill.html",
                title=f"Switch {row} off",
                original=row,
                flag=row,
                for_everybody=self.for_everybody,
            )
        message = request.POST.get("message", "")[:300]
        return self._do(
            request, row, lambda: switch_flag(flag=row, enabled=False, message=message), "“{}” is off for everybody."
        )

    def on_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        row = self._changeable(request, pk)
        return self._do(
            request, row, lambda: switch_flag(flag=row, enabled=True), "“{}” is decided by its rules again."
        )

    def restore_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        row = self._changeable(request, pk)
        return self._do(request, row, lambda: restore_flag(flag=row), "“{}” is back.")

    def remove(self, request: HttpRequest, row: Model) -> None:
        assert isinstance(row, Flag)
        delete_flag(flag=row)

    def _do(self, request: HttpRequest, row: Flag, act: Callable[[], object], done: str) -> HttpResponse:
        try:
            act()
        except Problem as problem:
            return refused(request, problem, to=_page(row))
        messages.success(request, done.format(row))
        return HttpResponseRedirect(reverse("admin:flags_flag_changelist"))

    def _changeable(self, request: HttpRequest, pk: uuid.UUID) -> Flag:
        return self.row(request, self.change_permission, Flag.objects.all(), pk=pk)


class PlatformFlagAdmin(FlagAdmin):
    """The operators' flags, which hold for every tenant that has none of the same key."""

    for_everybody = "every tenant, whatever its own flag says"


operator_site.register(Flag, PlatformFlagAdmin)


def _words(flag: Flag) -> list[str]:
    return [rule_words(rule) for rule in flag.rules]


def _page(row: Flag, name: str = "change") -> str:
    return reverse(f"admin:flags_flag_{name}", args=[row.pk])


def _button(address: str, text: str, row: Flag) -> str:
    return format_html(
        '<button class="sb-button sb-small" formaction="{}" aria-label="{} {}">{}</button>',
        address, text, row.key, text,
    )  # fmt: skip
