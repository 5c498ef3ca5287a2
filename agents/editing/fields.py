"""A content model as a tree of form fields, with a draft's values and its faults at their places."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast, get_args

from annotated_types import Ge, Gt, Le, MaxLen
from pydantic.fields import FieldInfo

from agents.content.base import Content, Fault, Part
from agents.editing.kinds import Shape, shape_of
from agents.editing.presentation import GROUPS, Group, Hint, hint_for

ROOT: Final = "content"
_BLANK_ROW: Final = "__n__"
_LONG_TEXT: Final = 1000  # characters; what may be longer gets a box of several lines

Choices = Mapping[str, Sequence[tuple[str, str]]]


@dataclass(slots=True)
class Field:
    """One place of a form.

    Args:
        path: dotted, as in a fault.
        widget: names its template.
        value: what its control shows; for a switch whether it is on.
        children: of a section.
        rows: of a list of sections, each with its own children.
        blank: what a further row would look like.
        is_changed: whether it differs from what the model gives by itself.
    """

    path: str
    label: str
    widget: str
    hint: Hint
    value: Any = ""
    required: bool = False
    choices: Sequence[tuple[str, str]] = ()
    attributes: dict[str, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    children: list[Field] = field(default_factory=list)
    rows: list[list[Field]] = field(default_factory=list)
    blank: list[Field] = field(default_factory=list)
    is_changed: bool = False

    @property
    def name(self) -> str:
        return f"{ROOT}.{self.path}"

    @property
    def id(self) -> str:
        return "id_" + self.path.replace(".", "-")

    @property
    def template(self) -> str:
        return f"admin/agents/fields/{self.widget}.html"

    @property
    def help(self) -> str:
        return self.hint.help

    @property
    def described_by(self) -> str:
        return " ".join([*([f"{self.id}-help"] if self.help else []), *([f"{self.id}-fault"] if self.faults else [])])

    def all(self) -> Iterable[Field]:
        """This field and those within."""
        yield self
        for child in self.children:
            yield from child.all()
        for row in self.rows:
            for child in row:
                yield from child.all()


@dataclass(slots=True)
class Section:
    """Fields of a form that belong together, folded away where nothing in them asks for a look."""

    group: Group
    fields: list[Field]

    @property
    def changed(self) -> int:
        """How many of its values were set to something of one's own."""
        return sum(one.is_changed for one in self.fields)

    @property
    def is_open(self) -> bool:
        return self.group.is_open or any(one.faults for top in self.fields for one in top.all())


def sections_of(kind: type[Content], raw: Mapping[str, Any], choices: Choices) -> list[Section]:
    """A content's fields in the groups that its presentation names; what no group names comes in the last."""
    fields = {one.path: one for one in _fields_of(kind, raw, "", choices)}
    sections = []
    for group in GROUPS.get(kind, ()):
        chosen = [fields.pop(name) for name in group.fields if name in fields]
        sections.append(Section(group, chosen))
    if fields:
        sections.append(Section(Group("More" if sections else "", is_open=not sections), list(fields.values())))
    return sections


def place_faults(sections: Sequence[Section], faults: Iterable[Fault]) -> list[str]:
    """Put each fault at its field. Returns those that have none."""
    places = {one.path: one for section in sections for top in section.fields for one in top.all()}
    homeless = []
    for fault in faults:
        parts = fault.field.split(".")
        for length in range(len(parts), 0, -1):
            place = places.get(".".join(parts[:length]))
            if place is not None:
                place.faults.append(_worded(fault, parts[length:]))
                break
        else:
            homeless.append(fault.message)
    return homeless


def _worded(fault: Fault, rest: Sequence[str]) -> str:
    """A fault of a line among several, told with its number; other inner paths mean little to a reader."""
    if len(rest) == 1 and rest[0].isdigit():
        return f"{int(rest[0]) + 1}: {fault.message}"
    return fault.message


def _fields_of(kind: type[Part], raw: Mapping[str, Any], path: str, choices: Choices) -> list[Field]:
    return [
        _field(kind, name, info, raw, f"{path}.{name}" if path else name, choices)
        for name, info in kind.model_fields.items()
    ]


def _field(kind: type[Part], name: str, info: FieldInfo, raw: Mapping[str, Any], path: str, choices: Choices) -> Field:
    shape = shape_of(info)
    hint = hint_for(kind, name, info)
    default = None if info.is_required() else info.get_default(call_default_factory=True)
    given = name in raw
    value = raw[name] if given else default
    made = Field(
        path,
        hint.label,
        hint.widget or shape.widget,
        hint,
        required=info.is_required() or hint.required,
        attributes=_attributes(info, hint),
        is_changed=given and _plain(raw[name]) != _plain(default),
    )
    _fill(made, shape, value, path, choices)
    return made


def _fill(made: Field, shape: Shape, value: Any, path: str, choices: Choices) -> None:
    """Give a field what it shows, and what lies within."""
    match shape.widget:
        case "section" | "optional":
            inner = _as_mapping(value)
            made.value = value is not None
            made.children = _fields_of(cast(type[Part], shape.part), inner, path, choices)
        case "rows":
            part = cast(type[Part], shape.part)
            items = value if isinstance(value, (list, tuple)) else []
            made.rows = [
                _fields_of(part, _as_mapping(item), f"{path}.{index}", choices) for index, item in enumerate(items)
            ]
            made.blank = _fields_of(part, {}, f"{path}.{_BLANK_ROW}", choices)
        case "lines":
            items = value if isinstance(value, (list, tuple)) else [value]
            made.value = "\n".join(str(item) for item in items if item is not None)
        case "json":
            made.value = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
        case "switch":
            made.value = value is True
        case "choice":
            made.value = "" if value is None else str(value)
            made.choices = [(word, made.hint.choices.get(word, word)) for word in shape.words]
        case _:
            made.value = "" if value is None else _shown(value)
    if made.hint.source in choices:
        made.choices = _with_current(choices[made.hint.source], str(made.value))
        made.widget = "choice"


def _with_current(choices: Sequence[tuple[str, str]], value: str) -> list[tuple[str, str]]:
    """Choices that never hide what a draft holds already."""
    known = value in {word for word, _ in choices}
    return [*choices, *([] if known else [(value, f"{value} (missing)")])]


def _attributes(info: FieldInfo, hint: Hint) -> dict[str, Any]:
    """What a browser can hold to by itself; the server says the rest."""
    found: dict[str, Any] = {}
    for rule in [*info.metadata, *(one for arg in get_args(info.annotation) for one in getattr(arg, "metadata", ()))]:
        match rule:
            case MaxLen(max_length=most) if most <= _LONG_TEXT:
                found["maxlength"] = most
            case Ge(ge=least):
                found["min"] = least
            case Gt():
                found["min"] = 0
            case Le(le=most):
                found["max"] = most
    if info.annotation is float:
        found["step"] = "any"
    if hint.placeholder:
        found["placeholder"] = hint.placeholder
    return found


def _as_mapping(value: Any) -> Mapping[str, Any]:
    if isinstance(value, Part):
        return value.model_dump(mode="json")
    return value if isinstance(value, Mapping) else {}


def _plain(value: Any) -> Any:
    """A value as its JSON, so that defaults and drafts compare."""
    if isinstance(value, Part):
        return value.model_dump(mode="json")
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def _shown(value: Any) -> str:
    return str(value) if isinstance(value, (str, int, float)) else json.dumps(value, ensure_ascii=False)
