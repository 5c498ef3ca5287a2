"""What the contents of all registries share."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from switchboard.kernel.problems import Invalid

# A draft is kept in one row and sent to browsers whole.
MOST_BYTES: Final = 256 * 1024
# Of objects and lists within each other: what goes through it level by level (pydantic, JSON, diffs) ends somewhere.
MOST_LEVELS: Final = 60

Text = Annotated[str, Field(max_length=100_000)]
Line = Annotated[str, Field(max_length=500)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a draft can't be published.

    Args:
        field: a dotted path into the content, such as `variables.0.name`.
        message: a sentence for whoever edits it.
    """

    field: str
    message: str

    def as_dict(self) -> dict[str, str]:
        return {"field": self.field, "message": self.message}


class Part(BaseModel):
    """A piece of a content: frozen, and strict about keys, so that a misspelt one is told and not dropped."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, allow_inf_nan=False)


class Content(Part):
    """What one version of a registry's entry holds."""

    def faults(self) -> list[Fault]:
        """What is wrong although every field by itself is well."""
        return []

    def as_json(self) -> dict[str, Any]:
        """The content with every field spelt out, as it is stored and hashed."""
        return self.model_dump(mode="json")


def checksum_of(content: Mapping[str, Any]) -> str:
    """SHA-256, in hex, of a content's canonical JSON (sorted keys, no spaces)."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def check_draft(kind: type[Content], raw: object) -> dict[str, Any]:
    """A draft that may be kept: unfinished perhaps, but an object of known fields that PostgreSQL can hold.

    Raises:
        Invalid: `draft_invalid`.
    """
    if not isinstance(raw, dict):
        raise Invalid("draft_invalid", "A draft is an object.", field="content")
    unknown = sorted(str(key) for key in raw if key not in kind.model_fields)
    if unknown:
        raise Invalid("draft_invalid", f"There is no field {', '.join(unknown[:5])}.", field=f"content.{unknown[0]}")
    try:
        text = json.dumps(raw, allow_nan=False)
        size = len(json.dumps(raw, ensure_ascii=False).encode())
    except (TypeError, ValueError, RecursionError):
        raise Invalid("draft_invalid", "The draft is no plain JSON.", field="content") from None
    if "\\u0000" in text:
        raise Invalid("draft_invalid", "The draft holds a NUL character, which can't be stored.", field="content")
    if size > MOST_BYTES:
        raise Invalid("draft_invalid", f"A draft may have {MOST_BYTES // 1024} KB; this has {size // 1024}.")
    if is_too_deep(raw):
        raise Invalid("draft_invalid", f"The draft is nested more than {MOST_LEVELS} levels deep.", field="content")
    return dict(raw)


def is_too_deep(value: object) -> bool:
    """Whether JSON has more than `MOST_LEVELS` objects and lists within each other. Doesn't recurse itself."""
    level = [value]
    for _ in range(MOST_LEVELS + 1):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return True


def read(kind: type[Content], raw: Mapping[str, Any]) -> tuple[Content | None, list[Fault]]:
    """A draft as a typed content; None, and why, where it isn't one yet."""
    try:
        content = kind.model_validate(raw)
    except ValidationError as error:
        return None, [
            Fault(".".join(str(part) for part in fault["loc"]), _sentence(fault["msg"]))
            for fault in error.errors(include_url=False, include_input=False, include_context=False)
        ]
    return content, content.faults()


def _sentence(message: str) -> str:
    text = message.removeprefix("Value error, ")
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
