"""Everything under /api/v1/. The control plane's apps bring their own; no address ends in a slash."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("agents.api.urls")),
    path("", include("billing.api.urls")),
    path("", include("conversations.desk.api.urls")),
    path("", include("knowledge.api.urls")),
    path("", include("tenants.api.urls")),
    path("", include("tenants.audit.api.urls")),
    path("", include("tenants.flags.api.urls")),
    path("", include("tenants.staff.api.urls")),
    path("", include("tenants.origins.api.urls")),
    path("", include("tenants.tokens.api.urls")),
    path("", include("tenants.vault.api.urls")),
    path("", include("voice_worker.api.urls")),
]
