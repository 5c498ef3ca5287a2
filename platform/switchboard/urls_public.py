"""URLs on the platform's own host: operators and their API, health, the API document."""

from __future__ import annotations

from django.urls import include, path
from django.views.generic import RedirectView

from switchboard import health
from switchboard.admin import operator_site
from tenants.tokens.views import jwks_view
from voice_worker.meetings import webhooks
from voice_worker.remote.api import remote_workers
from voice_worker.remote.trpc import call_procedure

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("admin/", include("tenants.staff.signin.urls")),
    path(".well-known/jwks.json", jwks_view),
    path("admin/", operator_site.urls),
    path("api/v1/worker/", remote_workers.urls),
    path("trpc/<path:path>", call_procedure),
    path("api/v1/", include("tenants.api.platform_urls")),
    path("api/v1/", include("tenants.audit.api.urls")),
    path("api/v1/", include("tenants.flags.api.urls")),
    path("api/v1/", include("voice_worker.directory.urls")),
    path("api/", include("switchboard.openapi_urls")),
    path("webhooks/livekit", webhooks.receive),
    path("", RedirectView.as_view(url="/admin/")),
]
handler400 = "switchboard.kernel.problems.bad_request"
handler403 = "switchboard.kernel.problems.permission_denied"
handler404 = "switchboard.kernel.problems.page_not_found"
handler500 = "switchboard.kernel.problems.server_error"
