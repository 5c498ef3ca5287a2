from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from agents.api.configuration import ConfigurationViewSet
from agents.api.endpoints import EndpointViewSet
from agents.api.memory import ConsentViewSet, FactViewSet, ForgettingViewSet, SummaryViewSet
from agents.api.registries import (
    AgentViewSet,
    PersonalityViewSet,
    PromptViewSet,
    RuntimeConfigViewSet,
    ToolViewSet,
)
from agents.api.release_views import AgentReleaseViewSet, ReleaseViewSet
from agents.api.tests import TestCaseViewSet, TestRunViewSet
from agents.api.tool_credentials import ToolCredentialViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("prompts", PromptViewSet)
router.register("tools", ToolViewSet)
router.register("personalities", PersonalityViewSet)
router.register("runtime-configs", RuntimeConfigViewSet, basename="runtime-config")
router.register("agents", AgentViewSet)
router.register("agents/<uuid:agent_id>/releases", AgentReleaseViewSet, basename="agent-release")
router.register("releases", ReleaseViewSet)
router.register("endpoints", EndpointViewSet, basename="endpoint")
router.register("test-cases", TestCaseViewSet, basename="test-case")
router.register("test-runs", TestRunViewSet, basename="test-run")
router.register("contact-consents", ConsentViewSet, basename="contact-consent")
router.register("contact-facts", FactViewSet, basename="contact-fact")
router.register("conversation-summaries", SummaryViewSet, basename="conversation-summary")
urlpatterns = [
    *router.urls,
    path("releases/<uuid:pk>/test-runs", TestRunViewSet.as_view({"post": "start"}), name="release-test-runs"),
    path("contact-memory/forget", ForgettingViewSet.as_view({"post": "forget"}), name="contact-memory-forget"),
    path("config", ConfigurationViewSet.as_view({"get": "export"}), name="config"),
    path("config/diff", ConfigurationViewSet.as_view({"post": "diff"}), name="config-diff"),
    path("config/apply", ConfigurationViewSet.as_view({"post": "apply"}), name="config-apply"),
    path(
        "contacts/<str:contact>/tool-credentials/<str:tool>",
        ToolCredentialViewSet.as_view({"put": "put", "delete": "destroy"}),
        name="tool-credential",
    ),
]
