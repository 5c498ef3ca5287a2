"""Calls of tools, made without an agent: what a turn would say of itself is made up."""

from __future__ import annotations

import uuid
from typing import Any

from agents.content.tool import ToolContent
from agents.releases import BoundTool
from agents.tools.results import ToolContext


def tool_of(slug: str = "a-tool", **content: Any) -> BoundTool:
    """A tool as a release would bind it."""
    content = {"kind": "python", "description": "Does something.", **content}
    return BoundTool(slug=slug, name=slug.title(), version=1, content=ToolContent.model_validate(content))


def context_of(**fields: Any) -> ToolContext:
    """A call of a turn of its own, for Ada."""
    made = {
        "conversation_id": uuid.uuid4(),
        "turn_id": uuid.uuid4(),
        "call_id": "call-1",
        "contact": "ada",
        "agent_id": uuid.uuid4(),
        "release_id": uuid.uuid4(),
    }
    return ToolContext(**{**made, **fields})
