"""The arguments of a call, checked against the tool's JSON Schema before anything happens.

The schema is a tenant's, the arguments are a model's: neither may reach out (a `$ref` leads nowhere but into the schema
itself) or think for years (patterns run on an engine whose time grows with the text).
"""

from __future__ import annotations

import datetime as dt
import functools
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend
from referencing import Registry
from referencing.exceptions import Unresolvable

from agents.content.patterns import PatternRefused, check_pattern, is_found
from agents.tools.results import ToolFailed, storable

LONGEST_ARGUMENTS: Final = 32 * 1024  # characters of JSON
_MOST_FAULTS: Final = 10
_NOWHERE: Final[Registry[Any]] = Registry()
_FORMATS: Final = FormatChecker()


@_FORMATS.checks("time", raises=ValueError)
def _is_time(value: object) -> bool:
    """People and models say 20:00; RFC 3339, which JSON Schema means by a time, would want seconds and a zone."""
    return not isinstance(value, str) or dt.time.fromisoformat(value) is not None


def check_arguments(*, schema: Mapping[str, Any], arguments: object) -> dict[str, Any]:
    """The arguments, if the schema takes them.

    Raises:
        ToolFailed: `tool_arguments_invalid`; its data has a field and a message for each fault.
    """
    if not isinstance(arguments, dict):
        raise _invalid([{"field": "", "message": "Arguments are an object."}])
    try:
        text = json.dumps(arguments, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise _invalid([{"field": "", "message": "The arguments are no plain JSON."}]) from None
    if len(text) > LONGEST_ARGUMENTS:
        raise _invalid([{"field": "", "message": f"{LONGEST_ARGUMENTS} characters are the most."}])
    cleaned: dict[str, Any] = storable(arguments)
    try:
        faults = [
            {"field": _field(error), "message": _sentence(error)}
            for error, _ in zip(_errors(schema, cleaned), range(_MOST_FAULTS), strict=False)
        ]
    except (RecursionError, Unresolvable, PatternRefused):
        raise ToolFailed("tool_schema_unusable", "The tool's schema can't be applied.") from None
    if faults:
        raise _invalid(faults)
    return cleaned


def fits(*, schema: Mapping[str, Any], value: object) -> bool:
    """Whether one value, by itself, is what a property's schema takes."""
    try:
        return next(_errors(schema, value), None) is None
    except (RecursionError, Unresolvable, PatternRefused):
        return False


def check_schema_runs(schema: Mapping[str, Any]) -> str:
    """Why a schema, though it is one, can't be applied to arguments; "" where it can."""
    try:
        for name, value in _keywords(schema):
            if name == "pattern":
                check_pattern(value)
            elif name == "patternProperties":
                for pattern in value:
                    check_pattern(pattern)
            elif name in {"$ref", "$dynamicRef"} and not str(value).startswith("#"):
                return f"{name} may lead to the schema's own parts only, such as #/$defs/date."
        list(_errors(schema, {}))
    except PatternRefused as error:
        return str(error)
    except (RecursionError, Unresolvable):
        return "A $ref in it leads nowhere."
    return ""


def _invalid(faults: list[dict[str, str]]) -> ToolFailed:
    told = "; ".join(
        f"{fault['field']}: {fault['message']}" if fault["field"] else fault["message"] for fault in faults
    )
    return ToolFailed("tool_arguments_invalid", told, data={"errors": faults})


def _errors(schema: Mapping[str, Any], arguments: object) -> Iterator[ValidationError]:
    validator = _validator(json.dumps(schema, sort_keys=True))
    errors: Iterator[ValidationError] = validator.iter_errors(arguments)
    return errors


@functools.lru_cache(maxsize=512)
def _validator(schema: str) -> Any:
    return _Validator(json.loads(schema), registry=_NOWHERE, format_checker=_FORMATS)


def _field(error: ValidationError) -> str:
    path = [str(part) for part in error.absolute_path]
    if error.validator == "required" and isinstance(error.instance, dict):
        path += [name for name in _names(error.validator_value) if name not in error.instance][:1]
    elif error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = (error.schema or {}).get("properties", {}) if isinstance(error.schema, dict) else {}
        path += [name for name in error.instance if name not in known][:1]
    return ".".join(path)


def _names(required: object) -> list[str]:
    return [str(name) for name in required] if isinstance(required, list) else []


def _sentence(error: ValidationError) -> str:
    if error.validator == "required":
        return "This is missing."
    if error.validator == "additionalProperties":
        return "The tool knows no such argument."
    return f"{error.message[:300]}."


def _keywords(schema: Any) -> Iterator[tuple[str, Any]]:
    """Every keyword with its value, wherever in a schema it stands; a property that is called like one may be among
    them, which refuses little that anybody wants."""
    level = [schema]
    while level:
        following: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                for name, value in one.items():
                    if isinstance(value, str) or (name == "patternProperties" and isinstance(value, dict)):
                        yield name, value
                    following.append(value)
            elif isinstance(one, list):
                following.extend(one)
        level = [one for one in following if isinstance(one, (dict, list))]


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not is_found(pattern, instance):
        yield ValidationError(f"{instance[:80]!r} doesn't match {pattern!r}")


def _pattern_properties(validator: Any, patterns: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    for pattern, inner in patterns.items():
        for name, value in instance.items():
            if is_found(pattern, name):
                yield from validator.descend(value, inner, path=name, schema_path=pattern)


def _additional_properties(validator: Any, allowed: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    patterns = schema.get("patternProperties", {})
    for name, value in instance.items():
        if name in schema.get("properties", {}) or any(is_found(pattern, name) for pattern in patterns):
            continue
        if allowed is False:
            yield ValidationError(f"{name!r} is unknown")
        elif isinstance(allowed, dict):
            yield from validator.descend(value, allowed, path=name)


_Validator: Final[Any] = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
    },
)
