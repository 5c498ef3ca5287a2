"""The Ninja API object of the data plane."""

from __future__ import annotations

from ninja import NinjaAPI

from conversations.api.callers import undeclared
from conversations.api.conversations import router as conversations
from conversations.api.refusals import refuse_with
from conversations.api.search import router as knowledge_search
from switchboard.kernel.problems import problem_response

data_plane = NinjaAPI(
    title="Switchboard data plane",
    version="1",
    urls_namespace="data-plane",
    auth=undeclared,
    openapi_url=None,
    docs_url=None,
)
data_plane.add_router("/conversations", conversations, tags=["conversations"])
data_plane.add_router("/search", knowledge_search, tags=["search"])
refuse_with(data_plane, problem_response)
