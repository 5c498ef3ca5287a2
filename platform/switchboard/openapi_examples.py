"""An example for every body of the document, made from its schema, so that none can be forgotten or grow old."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from jsonschema import Draft202012Validator

Schema = dict[str, Any]

_REF: Final = "#/components/schemas/"
_DEEPEST: Final = 12
_BY_FORMAT: Final[Mapping[str, Any]] = {
    "uuid": "01990d0b-6a3e-7c41-9f52-3b8f8a6d2c10",
    "date-time": "2026-11-21T09:30:00Z",
    "date": "2026-11-21",
    "email": "sam@harbour.example",
    "uri": "https://harbour.example/",
    "decimal": "0.0042",
    "ip": "192.0.2.7",
    "binary": "…",
}
# What stands in a field of this name, where its schema takes it.
_BY_NAME: Final[Mapping[str, Any]] = {
    "name": "The house",
    "slug": "house",
    "tags": ["front-desk"],
    "message": "Shorter answers",
    "drafted_by": "sam",
    "created_by": "sam",
    "checksum": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "prompt": "house@3",
    "profile": None,
    "personality": "default",
    "runtime_config": "house@latest",
    "tools": ["rooms-free@2"],
    "sub_releases": [],
    "collections": ["house-rules"],
    "variables": {"hotel": "The Harbour"},
    "values": {"hotel": "The Harbour"},
    "percent": 50,
    "canary_flag": "",
    "flag": "",
    "path": "template",
    "field": "template",
    "next": "https://harbour.example/api/v1/prompts?cursor=cD0wMTk5MGQwYg%3D%3D",
    "segments": [{"side": "same", "text": "You answer "}, {"side": "added", "text": "briefly."}],
    "base_url": "https://models.example.com/v1",
    "text": "When is breakfast?",
    "question": "When is breakfast?",
    "query": "When is breakfast?",
    "key": "checkout.new_flow",
    "service_tier": "gold",
    "version": "latest",
    "cost_usd": "0.0042",
    "number": 3,
}


def add_examples(schema: Schema, operation: Schema) -> None:
    """Give an operation's body and answers an example each, where they have none and hold JSON."""
    bodies = [(operation.get("requestBody", {}), "readOnly")]
    bodies += [(answer, "writeOnly") for status, answer in operation["responses"].items() if status < "300"]
    for body, hidden in bodies:
        media = body.get("content", {}).get("application/json")
        if media and "schema" in media and not media.keys() & {"example", "examples"}:
            media["example"] = example_of(media["schema"], schema, hidden)


def example_of(schema: Schema, document: Schema, hidden: str, *, name: str = "", depth: int = 0) -> Any:
    """A value that fits a schema.

    Args:
        hidden: `readOnly` for what is sent, `writeOnly` for what is answered: properties marked so are left out.
        name: of the property that holds it.
    """
    schema = _whole(schema, document)
    for key in ("example", "const"):
        if key in schema:
            return schema[key]
    if schema.get("examples"):
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][0]
    if name in _BY_NAME and _fits(_BY_NAME[name], schema, document):
        return _BY_NAME[name]
    if depth > _DEEPEST:
        return None
    for choice in schema.get("anyOf") or schema.get("oneOf") or ():
        if choice.get("type") != "null":
            return example_of(choice, document, hidden, name=name, depth=depth)
    match _type_of(schema):
        case "object":
            return _object(schema, document, hidden, depth)
        case "array":
            return [example_of(schema["items"], document, hidden, depth=depth + 1)] if "items" in schema else []
        case "string":
            return _text(schema, name)
        case "integer" | "number" as kind:
            least: Any = schema.get("default", schema.get("minimum", 1))
            return float(least) if kind == "number" else least
        case "boolean":
            return bool(schema.get("default"))
    return schema.get("default")


def _object(schema: Schema, document: Schema, hidden: str, depth: int) -> dict[str, Any]:
    shown = {key: inner for key, inner in schema.get("properties", {}).items() if not inner.get(hidden)}
    return {key: example_of(inner, document, hidden, name=key, depth=depth + 1) for key, inner in shown.items()}


def _text(schema: Schema, name: str) -> str:
    if schema.get("format") in _BY_FORMAT:
        return str(_BY_FORMAT[schema["format"]])
    if "default" in schema and schema["default"] is not None:
        return str(schema["default"])
    text = name.replace("_", " ") or "text"
    return text[: schema["maxLength"]] if "maxLength" in schema else text


def _whole(schema: Schema, document: Schema) -> Schema:
    """A schema with what it refers to written out."""
    while "$ref" in schema or len(schema.get("allOf", ())) == 1:
        if "$ref" in schema:
            found = document["components"]["schemas"][schema["$ref"].removeprefix(_REF)]
            schema = {**found, **{key: value for key, value in schema.items() if key != "$ref"}}
        else:
            (inner,) = schema["allOf"]
            schema = {**inner, **{key: value for key, value in schema.items() if key != "allOf"}}
    return schema


def _type_of(schema: Schema) -> str:
    kind = schema.get("type", "object" if "properties" in schema else "")
    return next(one for one in kind if one != "null") if isinstance(kind, list) else str(kind)


def _fits(value: Any, schema: Schema, document: Schema) -> bool:
    if "format" in schema:
        return False
    return bool(Draft202012Validator({**schema, "components": document["components"]}).is_valid(value))
