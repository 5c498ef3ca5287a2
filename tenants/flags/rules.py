"""What a flag's rules may be, checked where they come in: REST, the admin's editor, a file of configuration."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from switchboard.kernel.problems import Problem

MOST_RULES: Final = 50
MOST_CONDITIONS: Final = 20
MOST_VALUES: Final = 500
LONGEST_TEXT: Final = 500
_LARGEST_NUMBER: Final = 1e15
_ATTRIBUTE: Final = re.compile(r"(?:tier|contact|agent|channel|(?:tenant|contact)\.[A-Za-z0-9_.-]{1,80})\Z")

Scalar = str | bool | int | float


class Operator(StrEnum):
    """How a condition compares. Texts are compared without regard to case, and 5 is the same as "5"."""

    IS = "is"
    IS_NOT = "is_not"
    IN = "in"
    NOT_IN = "not_in"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    EXISTS = "exists"


_LISTS: Final = frozenset({Operator.IN, Operator.NOT_IN})
_NUMBERS: Final = frozenset({Operator.AT_LEAST, Operator.AT_MOST})


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("A NUL character can't be stored.")
    return text


Text = Annotated[str, AfterValidator(_storable)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Condition(_Strict):
    """One attribute of whoever is asked about, compared with a value."""

    attribute: str = Field(
        description="`tier`, `tenant.<key>` of the tenant's metadata, `contact`, `contact.<attribute>`, `agent` or "
        "`channel`."
    )
    operator: Operator
    value: Any = Field(
        default=None,
        description="A text, number or boolean; a list of them for `in` and `not_in`; a number for `at_least` and "
        "`at_most`; true or false for `exists`.",
    )

    @field_validator("attribute")
    @classmethod
    def _known_attribute(cls, attribute: str) -> str:
        if not _ATTRIBUTE.match(attribute):
            raise ValueError("Use tier, tenant.<key>, contact, contact.<attribute>, agent or channel.")
        return attribute

    @field_validator("value")
    @classmethod
    def _fitting_value(cls, value: Any, info: ValidationInfo) -> Any:
        operator = info.data.get("operator")
        if operator is None:  # that is the fault, and said already
            return value
        if operator in _LISTS:
            if not isinstance(value, list) or not value:
                raise ValueError("Give a list with at least one value.")
            if len(value) > MOST_VALUES:
                raise ValueError(f"{MOST_VALUES} values at most.")
            return [_scalar(part) for part in value]
        if operator in _NUMBERS:
            number = number_of(value)
            if number is None or abs(number) > _LARGEST_NUMBER:
                raise ValueError("Give a number.")
            return number
        if operator is Operator.EXISTS:
            if value is not None and not isinstance(value, bool):
                raise ValueError("Give true (it is there) or false (it is not).")
            return value is not False
        return _scalar(value)

    @model_validator(mode="before")
    @classmethod
    def _value_is_looked_at(cls, fields: Any) -> Any:
        # A value that is left out is judged like one that is null.
        return {"value": None, **fields} if isinstance(fields, dict) else fields


class Rule(_Strict):
    """All its conditions, its window and its share must hold; then it decides."""

    description: Text = Field(default="", max_length=200, description="What it is for, in your own words.")
    conditions: list[Condition] = Field(default_factory=list, max_length=MOST_CONDITIONS)
    percentage: float | None = Field(
        default=None,
        ge=0,
        le=100,
        description="Holds for this share of contacts (or of the given units), always the same ones; those of a "
        "smaller share stay in when it grows.",
    )
    from_: AwareDatetime | None = Field(default=None, alias="from", description="From this moment on.")
    until: AwareDatetime | None = Field(default=None, description="Up to, but not including, this moment.")
    then: Literal["on", "off"] = Field(default="on", description="What the flag is where the rule matches.")

    @field_validator("percentage")
    @classmethod
    def _two_decimals(cls, percentage: float | None) -> float | None:
        if percentage is None:
            return None
        hundredths = round(percentage * 100)
        if abs(percentage * 100 - hundredths) > 1e-6:
            raise ValueError("Give two decimals at most.")
        return hundredths / 100

    @field_validator("from_", "until")
    @classmethod
    def _in_utc(cls, moment: dt.datetime | None) -> dt.datetime | None:
        try:
            return moment.astimezone(dt.UTC) if moment else None
        except OverflowError:
            raise ValueError("This moment is out of range.") from None

    @field_validator("until")
    @classmethod
    def _after_from(cls, until: dt.datetime | None, info: ValidationInfo) -> dt.datetime | None:
        begin = info.data.get("from_")
        if until is not None and begin is not None and until <= begin:
            raise ValueError("The end lies before the beginning.")
        return until

    def as_json(self) -> dict[str, Any]:
        """As it is stored and shown: nothing in it that says nothing."""
        values = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        if not values["description"]:
            del values["description"]
        return values


_RULES: Final = TypeAdapter(Annotated[list[Rule], Field(max_length=MOST_RULES)])


def parse_rules(rules: Any) -> list[Rule]:
    """Rules as they came in, checked.

    Raises:
        Problem: 422 `flag_invalid`, with each fault at its place, such as `rules.0.conditions.1.value`.
    """
    try:
        return _RULES.validate_python(rules)
    except ValidationError as error:
        faults = [
            {"field": ".".join(map(str, ("rules", *fault["loc"]))), "message": _sentence(fault["msg"])}
            for fault in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        raise Problem("flag_invalid", "The rules can't be accepted.", status=422, errors=faults[:50]) from None


def number_of(value: object) -> float | None:
    """A finite number, or a text that is one; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def rules_schema() -> dict[str, Any]:
    """The JSON Schema of a flag's rules, in one piece."""
    schema = _RULES.json_schema(by_alias=True)
    parts = schema.pop("$defs")

    def whole(node: Any) -> Any:
        if isinstance(node, dict):
            if "$ref" in node:
                return whole(parts[node["$ref"].rpartition("/")[2]])
            return {name: whole(inner) for name, inner in node.items() if name != "title" or isinstance(inner, dict)}
        return [whole(inner) for inner in node] if isinstance(node, list) else node

    resolved: dict[str, Any] = whole(schema)
    return resolved


def _scalar(value: Any) -> Scalar:
    if isinstance(value, str):
        text = value.strip()
        if not text:
            raise ValueError("Give a value.")
        if len(text) > LONGEST_TEXT:
            raise ValueError(f"{LONGEST_TEXT} characters at most.")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError("Half of a surrogate pair is no character.") from None
        return _storable(text)
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        if not -_LARGEST_NUMBER <= value <= _LARGEST_NUMBER:  # which "not a number" isn't either
            raise ValueError("The number is too large.")
        return value
    raise ValueError("Give a text, a number, true or false.")


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ")


def as_json(rules: Sequence[Rule]) -> list[dict[str, Any]]:
    """Rules as they are stored."""
    return [rule.as_json() for rule in rules]
