"""Voice sessions in the staff's admin: a list, the time axis of each, and their table to take away."""

from __future__ import annotations

import csv
import io
import uuid
from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import SuspiciousOperation
from django.core.files.storage import default_storage
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_safe

from switchboard.admin import staff_site
from switchboard.kernel.files import play
from switchboard.kernel.text import table_cell
from switchboard.model_admin import RowPageAdmin
from tenants.permissions import Permission
from voice_worker import queries
from voice_worker.admin.talk import TalkPage
from voice_worker.models import VoiceSession
from voice_worker.timeline.axis import clock
from voice_worker.timeline.reading import length_ms, read_session, version_of

_MOST_EXPORTED: Final = 50_000
STATUS: Final = {
    VoiceSession.Status.LIVE: ("sb-busy", "Live"),
    VoiceSession.Status.ENDED: ("sb-good", "Ended"),
    VoiceSession.Status.FAILED: ("sb-bad", "Failed"),
    VoiceSession.Status.LOST: ("sb-bad", "Lost"),
}
# What a browser can play; anything else would be a file that a stranger sent.
_PLAYED: Final = {".wav": "audio/wav", ".ogg": "audio/ogg", ".opus": "audio/ogg", ".mp3": "audio/mpeg"}


@admin.register(VoiceSession, site=staff_site)
class VoiceSessionAdmin(TalkPage, RowPageAdmin):
    view_permission = Permission.CONVERSATIONS_READ
    list_display = ("name", "agent", "channel", "state", "started_at", "length", "turns", "cost")
    list_display_links = ("name",)
    list_filter = ("status", "channel", ("conversation__agent", admin.RelatedOnlyFieldListFilter), "started_at")
    search_fields = ("conversation__title", "conversation__contact", "conversation__messages__text", "worker")
    search_help_text = "Titles, contacts, workers and everything that was said"
    ordering = ("-id",)
    actions = ("export_csv",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[VoiceSession]:
        return queries.sessions().order_by(*self.ordering)

    @admin.display(description="Session", ordering="conversation__title")
    def name(self, row: VoiceSession) -> str:
        return row.conversation.title or "Nothing said yet"

    @admin.display(description="Agent", ordering="conversation__agent__name")
    def agent(self, row: VoiceSession) -> str:
        return str(row.conversation.agent)

    @admin.display(description="Status", ordering="status")
    def state(self, row: VoiceSession) -> str:
        style, words = STATUS[VoiceSession.Status(row.status)]
        return format_html('<span class="sb-badge {}" title="{}">{}</span>', style, row.end_reason, words)

    @admin.display(description="Length")
    def length(self, row: VoiceSession) -> str:
        length = length_ms(row)
        return clock(length // 1000 * 1000) if length else "-"

    @admin.display(description="Turns", ordering="turns")
    def turns(self, row: Any) -> int:
        return int(row.turns)

    @admin.display(description="Cost", ordering="cost_usd")
    def cost(self, row: Any) -> str:
        return "-" if row.cost_usd is None else f"{row.cost_usd:.4f} USD"

    @admin.action(description="Export as CSV")
    def export_csv(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        text = io.StringIO()
        table = csv.writer(text)
        names = ["id", "conversation", "agent", "channel", "status", "end_reason", "started_at", "ended_at", "seconds"]
        table.writerow([*names, "turns", "cost_usd"])
        for row in queryset[:_MOST_EXPORTED]:
            ended = row.ended_at.isoformat() if row.ended_at else ""
            cells = [row.pk, row.conversation_id, row.conversation.agent.name, row.channel, row.status, row.end_reason]
            cells += [row.started_at.isoformat(), ended, length_ms(row) / 1000, row.turns]
            table.writerow([table_cell(value) for value in (*cells, "" if row.cost_usd is None else row.cost_usd)])
        # A byte-order mark, or Excel takes UTF-8 for something else.
        return HttpResponse(
            "\ufeff" + text.getvalue(),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="voice-sessions.csv"'},
        )

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            *self.talk_urls(),
            path("<uuid:pk>/axis/", wrap(require_safe(self.axis_view)), name="voice_session_axis"),
            path("<uuid:pk>/recording/", wrap(require_safe(self.recording_view)), name="voice_session_recording"),
            *super().get_urls(),
        ]

    def row_page(self, request: HttpRequest, row: VoiceSession) -> HttpResponse:
        return self.page(
            request,
            "admin/voice_worker/session/page.html",
            title=row.conversation.title or "Voice session",
            is_fullwidth="1",
            original=row,
            follow_url=reverse("admin:voice_session_axis", args=[row.pk]),
            recording_url=reverse("admin:voice_session_recording", args=[row.pk]) if row.recording else "",
            **self._read(row),
        )

    def axis_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """What a page that is open puts in the place of what it shows: 204 where nothing has changed."""
        row = self._session(request, pk)
        if request.GET.get("seen") == version_of(row):
            return HttpResponse(status=204, headers={"Cache-Control": "no-store"})
        page = self.page(request, "admin/voice_worker/session/axis.html", title="", **self._read(row))
        page["Cache-Control"] = "no-store"
        return page

    def recording_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponseBase:
        """The recording, from wherever a player wants it."""
        row = self._session(request, pk)
        played = _PLAYED.get(row.recording[row.recording.rfind(".") :].lower()) if row.recording else None
        if played is None:
            raise Http404
        try:
            size = default_storage.size(row.recording)
            file: Any = default_storage.open(row.recording, "rb")
        except (OSError, SuspiciousOperation):
            raise Http404 from None
        return play(request, file, content_type=played, size=size)

    def _session(self, request: HttpRequest, pk: uuid.UUID) -> VoiceSession:
        rows = VoiceSession.objects.select_related("conversation__agent")
        return self.row(request, Permission.CONVERSATIONS_READ, rows, pk=pk)

    def _read(self, row: VoiceSession) -> dict[str, Any]:
        read = read_session(row)
        style, words = STATUS[VoiceSession.Status(row.status)]
        return {"read": read, "session": row, "status_style": style, "status_words": words, "length": length_ms(row)}
