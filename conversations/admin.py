"""Conversations in the staff's admin: a list, a thread to read, a table to take away."""

from __future__ import annotations

import csv
import io
import uuid
from typing import Any, Final

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST, require_safe

from conversations.domain.replays import run_again
from conversations.models import Conversation, Turn
from conversations.page_sections import sections_of
from conversations.replay import ROW_HEIGHT, read_replay, releases_for, timeline
from conversations.thread import read_thread
from switchboard.admin import staff_site
from switchboard.kernel.problems import NotFound, Problem
from switchboard.kernel.text import table_cell
from switchboard.model_admin import RowPageAdmin, refused
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
            cells += [row.created_at.isoformat(), row.updated_at.isoformat()]
            table.writerow([table_cell(value) for value in cells])
        # A byte-order mark, or Excel takes UTF-8 for something else.
        return HttpResponse(
            "\ufeff" + text.getvalue(),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="conversations.csv"'},
        )

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        at = "<uuid:pk>/turns/<uuid:turn>/"
        return [
            path(at, wrap(require_safe(self.replay_view)), name="conversations_turn_replay"),
            path(f"{at}again/", wrap(require_POST(self.again_view)), name="conversations_turn_again"),
            *super().get_urls(),
        ]

    def replay_view(self, request: HttpRequest, pk: uuid.UUID, turn: uuid.UUID) -> HttpResponse:
        """How a turn came to its answer."""
        return self._replay(request, self._turn(request, Permission.CONVERSATIONS_READ, pk, turn))

    def again_view(self, request: HttpRequest, pk: uuid.UUID, turn: uuid.UUID) -> HttpResponse:
        """The same beside what another release answers now."""
        row = self._turn(request, Permission.CONVERSATIONS_WRITE, pk, turn)
        try:
            release_id = uuid.UUID(request.POST.get("release", ""))
            again = run_again(turn=row, release_id=release_id)
        except ValueError:
            raise Http404 from None
        except NotFound:
            raise Http404 from None
        except Problem as problem:
            return refused(request, problem, to=reverse("admin:conversations_turn_replay", args=[pk, turn]))
        steps, total = timeline(again.steps)
        return self._replay(
            request,
            row,
            again=again,
            again_steps=steps,
            again_total=total,
            again_height=max(len(steps), 1) * ROW_HEIGHT,
            again_release=next((one for one in releases_for(row.conversation.agent_id) if one.pk == release_id), ""),
            chosen=release_id,
        )

    def _turn(self, request: HttpRequest, permission: Permission, pk: uuid.UUID, turn: uuid.UUID) -> Turn:
        conversation = self.row(request, permission, Conversation.objects.select_related("agent"), pk=pk)
        row = Turn.objects.filter(conversation=conversation, pk=turn).first()
        if row is None:
            raise Http404
        row.conversation = conversation
        return row

    def _replay(self, request: HttpRequest, row: Turn, **more: Any) -> HttpResponse:
        replay = read_replay(row)
        may_run = self._allows(request, Permission.CONVERSATIONS_WRITE, row.conversation) and not row.is_open
        context = {
            "turn": row,
            "conversation": row.conversation,
            "replay": replay,
            "height": max(len(replay.steps), 1) * ROW_HEIGHT,
            "may_run": may_run,
            "releases": releases_for(row.conversation.agent_id) if may_run else (),
            "chosen": row.release_id,
            "again_url": reverse("admin:conversations_turn_again", args=[row.conversation_id, row.pk]),
        }
        return self.page(request, "admin/conversations/replay.html", title="Replay", **{**context, **more})

    def row_page(self, request: HttpRequest, row: Conversation) -> HttpResponse:
        return self.page(
            request,
            "admin/conversations/thread.html",
            title=row.title or "Conversation",
            original=row,
            conversation=row,
            turns=read_thread(row.pk),
            sections=sections_of(row),
            statuses=_STATUS,
        )
