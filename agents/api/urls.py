from __future__ import annotations

from rest_framework.routers import SimpleRouter

from agents.api.endpoints import EndpointViewSet
from agents.api.registries import (
    AgentViewSet,
    PersonalityViewSet,
    PromptViewSet,
    RuntimeConfigViewSet,
    ToolViewSet,
)
from agents.api.release_views import AgentReleaseViewSet, ReleaseViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("prompts", PromptViewSet)
router.register("tools", ToolViewSet)
router.register("personalities", PersonalityViewSet)
router.register("runtime-configs", RuntimeConfigViewSet, basename="runtime-config")
router.register("agents", AgentViewSet)
router.register("agents/<uuid:agent_id>/releases", AgentReleaseViewSet, basename="agent-release")
router.register("releases", ReleaseViewSet)
router.register("endpoints", EndpointViewSet, basename="endpoint")
urlpatterns = router.urls
