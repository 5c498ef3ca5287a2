"""URLs on a tenant's host."""

from __future__ import annotations

from django.urls import include, path
from django.views.generic import RedirectView

from conversations.api import data_plane
from conversations.api.chat_completions import chat_completions
from switchboard import health
from switchboard.admin import staff_site
from tenants.tokens.views import jwks_view
from voice_worker.data_plane import voice_plane
from voice_worker.meetings.page import meeting_page

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("admin/", include("tenants.staff.signin.urls")),
    path(".well-known/jwks.json", jwks_view),
    path("admin/", staff_site.urls),
    path("api/v1/", data_plane.urls),
    path("api/v1/", voice_plane.urls),
    path("v1/", chat_completions.urls),
    path("api/v1/", include("switchboard.api_urls")),
    path("api/", include("switchboard.openapi_urls")),
    path("meet/<uuid:meeting_id>", meeting_page),
    path("documents/", include("knowledge.urls")),
    path("", RedirectView.as_view(url="/admin/")),
]
handler400 = "switchboard.kernel.problems.bad_request"
handler403 = "switchboard.kernel.problems.permission_denied"
handler404 = "switchboard.kernel.problems.page_not_found"
handler500 = "switchboard.kernel.problems.server_error"
