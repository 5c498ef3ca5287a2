"""The voice Playground: a talk with an agent by microphone, over the audio websocket that programs use."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_safe

from agents.content.speech import Speech
from agents.models import Agent, Release
from agents.releases import resolve
from switchboard.kernel.page_policies import permissions_policy
from tenants.permissions import Permission, allows


class TalkPage:
    """Mixed into the admin of voice sessions."""

    def talk_urls(self: Any) -> list[URLPattern]:
        """Where it is."""
        return [path("talk/<uuid:agent>/", self.admin_site.admin_view(require_safe(self.talk_view)), name="voice_talk")]

    def talk_view(self: Any, request: HttpRequest, agent: uuid.UUID) -> HttpResponse:
        """A talk; with `conversation` in the query, one that goes on."""
        rows = Agent.objects.select_related("live_release")
        row = self.row(request, Permission.CONVERSATIONS_WRITE, rows, pk=agent)
        chosen = _chosen_release(request, row)
        release = chosen or row.live_release
        resolved = resolve(release.pk) if release else None
        page: HttpResponse = self.page(
            request,
            "admin/voice_worker/talk.html",
            title=f"Talk: {row}",
            agent=row,
            release=release,
            is_preview=chosen is not None and chosen.pk != row.live_release_id,
            heard_by=_name(resolved.runtime.stt) if resolved else "",
            spoken_by=_name(resolved.runtime.tts) if resolved else "",
            is_fullwidth="1",
            talk={
                "agent": str(row.pk),
                "release": str(chosen.pk) if chosen else None,
                "socket": "/api/v1/voice/stream",
                "worklet": static("switchboard/voice-worklet.js"),
                "conversations": "/api/v1/conversations",
                "sessions": reverse("admin:voice_worker_voicesession_change", args=[uuid.UUID(int=0)]),
                "welcome": resolved.runtime.welcome_message if resolved else "",
                "questions": list(resolved.profile.suggested_questions) if resolved else [],
            },
        )
        page["Permissions-Policy"] = permissions_policy("microphone")
        return page


def _chosen_release(request: HttpRequest, agent: Agent) -> Release | None:
    """The release that the address names; a preview is for those who may read agents."""
    named = request.GET.get("release")
    if not named or not allows(request.user, Permission.AGENTS_READ, on=agent):
        return None
    try:
        return Release.objects.filter(agent=agent, pk=uuid.UUID(named)).first()
    except ValueError:
        return None


def _name(speech: Speech) -> str:
    return speech.endpoint or "built-in"
