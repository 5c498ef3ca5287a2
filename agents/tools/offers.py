"""A tool as a model is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from agents.releases import BoundTool
from agents.tools.registry import python_tool

_SEARCH_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"query": {"type": "string", "minLength": 1, "maxLength": 1000, "description": "What to look for."}},
    "required": ["query"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Offer:
    """What a model chooses by."""

    name: str
    description: str
    schema: dict[str, Any]
    writes: bool


def offer_of(tool: BoundTool) -> Offer:
    """A tool of a release, as a model is told of it."""
    return Offer(name=tool.slug, description=tool.content.description, schema=schema_of(tool), writes=writes(tool))


def schema_of(tool: BoundTool) -> dict[str, Any]:
    """The schema of a tool's arguments: its own, or where that names none, that of who carries it out."""
    own = tool.content.input_schema
    if own.get("properties") or set(own) - {"type", "properties", "additionalProperties"}:
        return own
    if tool.content.kind == "knowledge":
        return _SEARCH_SCHEMA
    registered = python_tool(tool.content.handler) if tool.content.kind == "python" else None
    return dict(registered.input_schema) if registered else own


def writes(tool: BoundTool) -> bool:
    """Whether a tool changes something, as its version or whoever registered it says."""
    registered = python_tool(tool.content.handler) if tool.content.kind == "python" else None
    return tool.content.kind != "knowledge" and (tool.content.writes or bool(registered and registered.writes))
