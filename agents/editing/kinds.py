"""What kind of control each type of a content model wants."""

from __future__ import annotations

import types
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from annotated_types import MaxLen
from pydantic.fields import FieldInfo

from agents.content.base import Part

_ONE_LINE: Final = 1000  # characters a single line may have


@dataclass(frozen=True, slots=True)
class Shape:
    """Which control, and what lies within.

    Args:
        part: the model of a section or of a list's items.
        words: what a choice chooses from.
    """

    widget: Literal[
        "line", "text", "integer", "number", "switch", "choice", "lines", "json", "section", "optional", "rows"
    ]
    part: type[Part] | None = None
    words: tuple[str, ...] = ()


def shape_of(info: FieldInfo) -> Shape:
    """The shape of a field of a content model."""
    return _shape(info.annotation, info.metadata)


def _shape(annotation: Any, metadata: list[Any]) -> Shape:
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        return _shape(inner, [*more, *metadata])
    if get_origin(annotation) in (Union, types.UnionType):
        return _optional(annotation, metadata)
    if get_origin(annotation) is Literal:
        return Shape("choice", words=tuple(str(word) for word in get_args(annotation)))
    if get_origin(annotation) in (tuple, list):
        item = get_args(annotation)[0]
        return Shape("rows", item) if _is_part(item) else Shape("lines")
    if _is_part(annotation):
        return Shape("section", annotation)
    if annotation is str:
        return Shape("text" if _longest(metadata) > _ONE_LINE else "line")
    simple: dict[Any, Shape] = {bool: Shape("switch"), int: Shape("integer"), float: Shape("number")}
    return simple.get(annotation, Shape("json"))


def _optional(annotation: Any, metadata: list[Any]) -> Shape:
    options = [option for option in get_args(annotation) if option is not type(None)]
    shape = _shape(options[0], metadata) if len(options) == 1 else Shape("json")
    return Shape("optional", shape.part) if shape.widget == "section" else shape


def _is_part(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Part)


def _longest(metadata: list[Any]) -> int:
    """The most characters of a text; the rule may stand within pydantic's own description of it."""
    rules = [rule for one in metadata for rule in (one.metadata if isinstance(one, FieldInfo) else [one])]
    return max((int(rule.max_length) for rule in rules if isinstance(rule, MaxLen)), default=0)
