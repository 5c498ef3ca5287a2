"""The data plane of voice: an API object of its own beside the conversations', under the same address."""

from __future__ import annotations

from ninja import NinjaAPI

from conversations.api.callers import undeclared
from conversations.api.refusals import refuse_with
from switchboard.kernel.problems import problem_response
from voice_worker.meetings.api import router as meetings
from voice_worker.meetings.state import router as meeting_state

voice_plane = NinjaAPI(
    title="Switchboard voice",
    version="1",
    urls_namespace="voice-plane",
    auth=undeclared,
    openapi_url=None,
    docs_url=None,
)
voice_plane.add_router("/meetings", meetings, tags=["meetings"])
voice_plane.add_router("/meetings", meeting_state, tags=["meetings"])
refuse_with(voice_plane, problem_response)
