"""The page where people meet: `/meet/{meeting}`. It holds nothing of the meeting and asks the API for all of it."""

from __future__ import annotations

import uuid
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from switchboard.kernel.page_policies import permissions_policy
from voice_worker.meetings.livekit import client_url


@require_safe
def meeting_page(request: HttpRequest, meeting_id: uuid.UUID) -> HttpResponse:
    """The same for everybody, whether there is such a meeting or not: who may come in is asked when they do."""
    about = {
        "meeting": str(meeting_id),
        "api": "/api/v1",
        "livekit": client_url() if settings.LIVEKIT_URL else "",
    }
    response = render(request, "voice_worker/meet.html", {"about": about})
    response["Content-Security-Policy"] = _policy()
    # A link into the meeting has a token in its fragment, and the page's name tells which meeting.
    response["Referrer-Policy"] = "no-referrer"
    response["Permissions-Policy"] = permissions_policy("microphone", "camera", "display-capture", "autoplay")
    response["Cache-Control"] = "no-store"
    return response


def _policy() -> str:
    reached = ["'self'"]
    if settings.LIVEKIT_URL:
        host = urlsplit(client_url()).netloc
        # LiveKit's client asks over HTTP what went wrong over its socket; LiveKit Cloud leads it to other hosts of its.
        hosts = [host, "*.livekit.cloud"] if host.endswith(".livekit.cloud") else [host]
        reached += [f"{scheme}://{name}" for name in hosts for scheme in ("ws", "wss", "http", "https")]
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "font-src 'self'",
            "media-src 'self' blob:",
            "worker-src 'self' blob:",
            f"connect-src {' '.join(reached)}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'self'",
        )
    )
