from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from agents.api.views import AgentReleaseViewSet, AgentViewSet, EndpointViewSet, ReleaseViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("agents", AgentViewSet)
router.register("releases", ReleaseViewSet)
router.register("endpoints", EndpointViewSet, basename="endpoint")
urlpatterns = [
    *router.urls,
    path(
        "agents/<uuid:agent_id>/releases",
        AgentReleaseViewSet.as_view({"get": "list", "post": "create"}),
        name="agent-releases",
    ),
]
