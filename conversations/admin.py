"""Conversations in the staff's admin: a list, a thread to read, a table to take away."""

from __future__ import annotations

import csv
import io
from typing import Any, Final

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html

from conversations.models import Conversation, Turn
from conversations.thread import read_thread
from switchboard.admin import staff_site
from switchboard.model_admin import RowPageAdmin
from tenants.permissions import Permission

_MOST_EXPORTED: Final = 50_000
_STATUS: Final = {
    Turn.Status.QUEUED: ("sb-busy", "Waiting"),
    Turn.Status.RUNNING: ("sb-busy", "Answering"),
    Turn.Status.DONE: ("sb-good", "Answered"),
    Turn.Status.FAILED: ("sb-bad", "Failed"),
    Turn.Status.CANCELLED: ("", "Stopped"),
}


class LastTurnFilter(admin.SimpleListFilter):
    title = "last answer"
    parameter_name = "last"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(status.value, words) for status, (_, words) in _STATUS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(last_status=self.value()) if self.value() else queryset


@admin.register(Conversation, site=staff_site)
class ConversationAdmin(RowPageAdmin):
    view_permission = Permission.CONVERSATIONS_READ
    list_display = ("name", "agent", "channel", "last_answer", "wants_person", "updated_at")
    list_display_links = ("name",)
    list_select_related = ("agent",)
    list_filter = (
        LastTurnFilter,
        ("handoff_requested_at", admin.EmptyFieldListFilter),
        "agent",
        "channel",
        "created_at",
    )
    search_fields = ("title", "messages__text")
    palette_fields, palette_icon = ("title",), "forum"
    ordering = ("-updated_at",)
    actions = ("export_csv",)
    search_help_text = "Titles and everything that was said"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversation]:
        last = Turn.objects.filter(conversation=OuterRef("pk")).order_by("-id").values("status")[:1]
        rows: QuerySet[Conversation] = super().get_queryset(request)
        return rows.annotate(last_status=Subquery(last))

    def palette_queryset(self) -> QuerySet[Conversation]:
        return Conversation.objects.order_by("-updated_at")

    @admin.display(description="Conversation", ordering="title")
    def name(self, row: Conversation) -> str:
        return row.title or "Nothing said yet"

    @admin.display(description="Last answer", ordering="last_status")
    def last_answer(self, row: Any) -> str:
        if not row.last_status:
            return "-"
        style, words = _STATUS[Turn.Status(row.last_status)]
        return format_html('<span class="sb-badge {}">{}</span>', style, words)

    @admin.display(description="Wants a person", ordering="handoff_requested_at")
    def wants_person(self, row: Conversation) -> str:
        if row.handoff_requested_at is None:
            return ""
        return format_html('<span class="sb-badge sb-busy" title="{}">Yes</span>', row.handoff_reason)

    @admin.action(description="Export as CSV")
    def export_csv(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        text = io.StringIO()
        table = csv.writer(text)
        table.writerow(["id", "agent", "channel", "title", "messages", "last_answer", "created_at", "updated_at"])
        rows = queryset.annotate(said=Count("messages", distinct=True)).select_related("agent")
        for row in rows[:_MOST_EXPORTED]:
            cells = [row.pk, row.agent.name, row.channel, row.title, row.said, row.last_status or ""]
            table.writerow([_cell(value) for value in (*cells, row.created_at.isoformat(), row.updated_at.isoformat())])
        # A byte-order mark, or Excel takes UTF-8 for something else.
        return HttpResponse(
            "\ufeff" + text.getvalue(),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="conversations.csv"'},
        )

    def row_page(self, request: HttpRequest, row: Conversation) -> HttpResponse:
        return self.page(
            request,
            "admin/conversations/thread.html",
            title=row.title or "Conversation",
            original=row,
            conversation=row,
            turns=read_thread(row.pk),
            statuses=_STATUS,
        )


def _cell(value: object) -> str:
    """A value that no spreadsheet takes for a formula (OWASP, "CSV Injection")."""
    text = str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
