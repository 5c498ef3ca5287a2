"""The typed contents of the registries in the REST API: fields that hold one, and their schemas in the document.

A version's content fits its schema (`PromptContent`). A draft may be unfinished, so its schema (`PromptDraft`) asks for
nothing: the same fields, none of them required.
"""

from __future__ import annotations

import copy
from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from agents.api.examples import EXAMPLES
from agents.content.base import Content
from agents.models import Agent, Component, Personality, Prompt, RuntimeConfig, Tool

Schema = dict[str, Any]

REGISTRIES: Final[tuple[type[Component], ...]] = (Prompt, Tool, Personality, RuntimeConfig, Agent)
_PLACE: Final = "#/components/schemas/"


class ContentField(serializers.JSONField):
    """A content as JSON; `domain` checks what comes in."""


def content_field(kind: type[Content], **options: Any) -> serializers.Field[Any, Any, Any, Any]:
    """A field for a published content."""
    return _field(kind.__name__, **options)


def draft_field(kind: type[Content], **options: Any) -> serializers.Field[Any, Any, Any, Any]:
    """A field for a draft."""
    return _field(draft_name(kind), **options)


def draft_name(kind: type[Content]) -> str:
    """What a kind's draft is called in the document."""
    return f"{kind.__name__.removesuffix('Content')}Draft"


def snapshot_field(**options: Any) -> serializers.Field[Any, Any, Any, Any]:
    """A field for what a release keeps of its parts."""
    return _field("ReleaseSnapshot", **options)


def content_schemas() -> dict[str, Schema]:
    """The schemas of all contents, of the parts they are made of, and of their drafts, by name."""
    found: dict[str, Schema] = {}
    for registry in REGISTRIES:
        kind = registry.content_type
        whole = kind.model_json_schema(mode="validation", ref_template=f"{_PLACE}{{model}}")
        parts = whole.pop("$defs", {})
        whole["examples"] = [EXAMPLES[kind]]
        found |= {**parts, kind.__name__: whole}
        found |= _drafts(parts, whole, draft_name(kind))
        found[f"Pinned{registry.__name__}"] = _pinned(registry)
    return {**found, "ReleaseSnapshot": _snapshot()}


def _pinned(registry: type[Component]) -> Schema:
    """A version of a registry as a release keeps it."""
    return _object(
        f"A version of {registry.word} as a release keeps it.",
        slug={"type": "string"},
        name={"type": "string"},
        version={"type": "integer"},
        checksum={"type": "string"},
        content=_ref(registry.content_type.__name__),
    )


def _snapshot() -> Schema:
    named = {"id": {"type": "string", "format": "uuid"}, "slug": {"type": "string"}, "name": {"type": "string"}}
    sub_agent = _object(
        "An agent that a supervisor may hand to.",
        release={"type": "string", "format": "uuid"},
        agent=_object("Whose release it is.", **named),
        number={"type": "integer"},
        content=_ref("ProfileContent"),
    )
    return _object(
        "What a release is made of, word for word.",
        agent=_object("Whose release it is.", **named),
        profile=_ref("PinnedAgent"),
        prompt=_ref("PinnedPrompt"),
        personality=_or_null("PinnedPersonality"),
        runtime_config=_or_null("PinnedRuntimeConfig"),
        tools={"type": "array", "items": _ref("PinnedTool")},
        sub_agents={"type": "array", "items": sub_agent},
        collections={"type": "array", "items": _object("What it answers from.", **named)},
        variables={"type": "object", "additionalProperties": {"type": "string"}},
    )


def _object(description: str, **properties: Schema) -> Schema:
    return {"type": "object", "description": description, "properties": properties, "required": list(properties)}


def _ref(name: str) -> Schema:
    return {"$ref": f"{_PLACE}{name}"}


def _or_null(name: str) -> Schema:
    return {"anyOf": [_ref(name), {"type": "null"}]}


def _drafts(parts: dict[str, Schema], whole: Schema, name: str) -> dict[str, Schema]:
    """The same schemas asking for nothing. Parts that ask for nothing anyhow serve both."""
    loosened = {part: f"{part}Draft" for part, schema in parts.items() if "required" in schema}
    found = {}
    for old, schema in {**{part: parts[part] for part in loosened}, name: whole}.items():
        draft = _renamed(copy.deepcopy(schema), loosened)
        draft.pop("required", None)
        draft["title"] = found_name = loosened.get(old, name)
        draft["description"] = f"{schema.get('description', '')} Unfinished perhaps.".strip()
        found[found_name] = draft
    return found


def _renamed(schema: Any, names: dict[str, str]) -> Any:
    if isinstance(schema, dict):
        return {
            key: f"{_PLACE}{names.get(value.removeprefix(_PLACE), value.removeprefix(_PLACE))}"
            if key == "$ref"
            else _renamed(value, names)
            for key, value in schema.items()
        }
    if isinstance(schema, list):
        return [_renamed(value, names) for value in schema]
    return schema


def _field(name: str, **options: Any) -> serializers.Field[Any, Any, Any, Any]:
    named = type(f"{name}Field", (ContentField,), {})
    field: serializers.Field[Any, Any, Any, Any] = extend_schema_field({"$ref": f"{_PLACE}{name}"})(named)(**options)
    return field
