"""camelCase for tRPC's side, snake_case for ours: of the fields' names only, never of what is in a tenant's data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic.alias_generators import to_camel

# Names that the first workers had for these.
_SYNONYMS: Final[Mapping[str, str]] = {
    "roomName": "room",
    "phoneNumber": "number",
    "flagKey": "flag",
    "key": "flag",
    "cost": "cost_usd",
    "topK": "limit",
}


def from_camel(kind: type[BaseModel], given: Mapping[str, Any]) -> dict[str, Any]:
    """What was sent, by our names. What a model doesn't know is left out, as tRPC's validators do."""
    found: dict[str, Any] = {}
    for name, field in kind.model_fields.items():
        spellings = [to_camel(name), *(other for other, ours in _SYNONYMS.items() if ours == name)]
        for spelling in spellings:
            if spelling in given:
                value, inner = given[spelling], field.annotation
                nested = isinstance(inner, type) and issubclass(inner, BaseModel) and isinstance(value, Mapping)
                found[name] = from_camel(inner, value) if nested else value  # type: ignore[arg-type]
                break
    return found


def as_camel(value: Any) -> Any:
    """An answer in camelCase and plain JSON."""
    if isinstance(value, BaseModel):
        plain = value.model_dump(mode="json")
        return {to_camel(name): _inner(getattr(value, name), plain[name]) for name in type(value).model_fields}
    return value


def _inner(value: Any, plain: Any) -> Any:
    if isinstance(value, BaseModel):
        return as_camel(value)
    if isinstance(value, list) and value and isinstance(value[0], BaseModel):
        return [as_camel(one) for one in value]
    return plain
