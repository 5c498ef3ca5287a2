"""What a JSON Schema's property asks for.

Beside what JSON Schema says itself, these hints count; all of them are optional:

- `x-kind`: `date`, `time`, `party`, `name`, `email`, `phone`; else the format, then the property's name, tell.
- `x-prefer`: for times `morning`, `day` or `evening`, what a bare "eight" means; for dates `past`.
- `x-synonyms`: other words for an enum's values, `{"terrace": ["outside", "im Freien"]}`; for booleans under `true`
  and `false`.
- `x-cues`: words beside which a value belongs to this property: `["nights", "Nächte"]`, `["until", "leaving"]`.
- `x-question`: how it is asked for; a text, or one for each language.
- `x-title`: its title in other languages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast, get_args

Kind = Literal[
    "date", "datetime", "time", "party", "name", "email", "phone", "choice", "choices", "yesno", "number", "text"
]

_FORMATS: Final[Mapping[str, Kind]] = {
    "date": "date", "time": "time", "date-time": "datetime", "email": "email", "idn-email": "email", "phone": "phone",
    "tel": "phone",
}  # fmt: skip
_BY_NAME: Final[tuple[tuple[re.Pattern[str], Kind], ...]] = (
    (re.compile(r"(^|_)(e_?mail)(_|$)"), "email"),
    (re.compile(r"(^|_)(phone|telephone|mobile|tel)(_|$)"), "phone"),
    (re.compile(r"(^|_)(date|day|check_?in|check_?out)$"), "date"),
    (re.compile(r"(^|_)time$"), "time"),
    (re.compile(r"^((full|first|last|guest|contact|customer|your)_)?name$"), "name"),
)
_PARTY_NAME: Final = re.compile(r"(^|_)(party|guests|people|persons|covers|party_size|pax)($|_)")


@dataclass(frozen=True, slots=True)
class Option:
    """One value that a property may have, and the words for it."""

    value: Any
    title: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SlotField:
    """One property, as far as a message can fill it."""

    name: str
    kind: Kind
    schema: Mapping[str, Any]
    is_required: bool
    options: tuple[Option, ...] = ()

    @property
    def prefer(self) -> str:
        return str(self.schema.get("x-prefer") or "")

    @property
    def cues(self) -> tuple[str, ...]:
        return tuple(str(cue).lower() for cue in _listed(self.schema.get("x-cues")))

    def title(self, language: str = "en") -> str:
        """Its title in a language, else as it is."""
        titles = self.schema.get("x-title")
        if isinstance(titles, Mapping) and titles.get(language):
            return str(titles[language])
        return str(self.schema.get("title") or self.name.replace("_", " "))


def fields_of(schema: Mapping[str, Any]) -> list[SlotField]:
    """The properties of an object's schema, in its order; those of objects and the like are left out."""
    required = set(_listed(schema.get("required")))
    properties = schema.get("properties")
    found = []
    for name, raw in properties.items() if isinstance(properties, Mapping) else ():
        own = _resolved(raw, schema)
        kind = _kind(name, own)
        if kind is not None:
            source = own if kind != "choices" else _resolved(own.get("items"), schema)
            found.append(SlotField(name, kind, own, name in required, _options(own, source)))
    return found


def field_of(schema: Mapping[str, Any], name: str) -> SlotField | None:
    return next((field for field in fields_of(schema) if field.name == name), None)


def _kind(name: str, schema: Mapping[str, Any]) -> Kind | None:
    wanted = schema.get("x-kind")
    if wanted in get_args(Kind):
        return cast(Kind, wanted)
    if "enum" in schema or _constants(schema):
        return "choice"
    types = [schema["type"]] if isinstance(schema.get("type"), str) else _listed(schema.get("type"))
    match next((one for one in types if one != "null"), "string"):
        case "boolean":
            return "yesno"
        case "integer":
            return "party" if _PARTY_NAME.search(name.lower()) else "number"
        case "number":
            return "number"
        case "array":
            items = schema.get("items")
            return "choices" if isinstance(items, Mapping) and ("enum" in items or _constants(items)) else None
        case "string":
            by_name = next((kind for pattern, kind in _BY_NAME if pattern.search(name.lower())), "text")
            return _FORMATS.get(str(schema.get("format")), cast(Kind, by_name))
    return None


def _options(schema: Mapping[str, Any], source: Mapping[str, Any]) -> tuple[Option, ...]:
    synonyms = schema.get("x-synonyms") or source.get("x-synonyms")
    synonyms = synonyms if isinstance(synonyms, Mapping) else {}
    titled = _constants(source) or [(value, str(value)) for value in _listed(source.get("enum"))]
    if schema.get("type") == "boolean":
        titled = [(True, "true"), (False, "false")]
        return tuple(Option(value, title, tuple(map(str, _listed(synonyms.get(title))))) for value, title in titled)
    found = []
    for value, title in titled:
        if value is not None:
            words = dict.fromkeys([str(value), str(value).replace("_", " "), title, *_listed(synonyms.get(str(value)))])
            found.append(Option(value, title.replace("_", " "), tuple(str(word) for word in words)))
    return tuple(found)


def _constants(schema: Mapping[str, Any]) -> list[tuple[Any, str]]:
    """Values that are told one by one, each with its title."""
    for key in ("oneOf", "anyOf"):
        branches = _listed(schema.get(key))
        if branches and all(isinstance(branch, Mapping) and "const" in branch for branch in branches):
            return [(branch["const"], str(branch.get("title") or branch["const"])) for branch in branches]
    return []


def _resolved(schema: Any, root: Mapping[str, Any]) -> Mapping[str, Any]:
    """A property's schema, found where it points to."""
    for _ in range(8):
        if not isinstance(schema, Mapping):
            return {}
        reference = schema.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return schema
        found: Any = root
        for step in reference[2:].split("/"):
            found = found.get(step) if isinstance(found, Mapping) else None
        schema = found
    return {}


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else ()
