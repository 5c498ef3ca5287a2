"""What a call of a tool comes to: always a value, whatever happened."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from agents.content.prompt import TemplateRefused, render

LONGEST_TEXT: Final = 20_000  # characters that a model is shown
LONGEST_DATA: Final = 200_000  # characters of JSON that are kept
_LOST: Final = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class ToolContext:
    """Where a call belongs, and for whom it acts.

    Args:
        call_id: unique within the turn; the same again when the turn is taken up again.
        contact: who talks; "" where nobody said.
        is_preview: nothing that the call changes is kept, and nothing that changes something is sent elsewhere.
    """

    conversation_id: uuid.UUID
    turn_id: uuid.UUID
    call_id: str
    contact: str
    agent_id: uuid.UUID
    release_id: uuid.UUID
    is_preview: bool = False

    @property
    def key(self) -> str:
        """The call's idempotency key."""
        return f"{self.turn_id}:{self.call_id}"


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a call came to.

    Args:
        ok: it did what it is for. `data` may say all the same that, for example, no table is free.
        data: JSON.
        text: what the model is shown, after the output template.
        code: why it failed; stable. "" where it didn't.
        detail: of a failure: a sentence for the contact, without its code.
        is_untrusted: others than the tenant and the platform may have written it.
    """

    ok: bool
    data: Any
    text: str
    code: str = ""
    is_untrusted: bool = True
    detail: str = ""


class ToolFailed(Exception):
    """A call that came to nothing.

    Args:
        code: stable, begins with `tool_`, or is that of a refusal of ours.
        detail: one sentence for the model and for staff; no secret in it.
        data: more of the same, as JSON.
        maybe_done: what the tool changes may have been changed.
    """

    def __init__(self, code: str, detail: str, *, data: Any = None, maybe_done: bool = False) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.data = data
        self.maybe_done = maybe_done

    def as_result(self) -> ToolResult:
        return ToolResult(
            ok=False,
            data=storable(self.data),
            text=shortened(storable(f"The tool failed ({self.code}): {self.detail}")),
            code=self.code,
            is_untrusted=self.data is not None,
            detail=shortened(storable(self.detail)),
        )


UNKNOWN: Final = "tool_result_unknown"


def unknown() -> ToolResult:
    """What is said where nobody can tell whether a call had its effect."""
    return ToolResult(
        ok=False,
        data=None,
        text=f"The call was cut off ({UNKNOWN}): it may or may not have had its effect, and is not tried again. "
        "Say so, and have somebody check before it is repeated.",
        code=UNKNOWN,
        is_untrusted=False,
    )


def succeeded(*, data: Any, template: str, is_untrusted: bool, text: str | None = None) -> ToolResult:
    """A result as the model is shown it.

    Args:
        template: the tool's output template; "" shows `text`, or else the data itself.
        text: the result in words, where the tool has any.
    """
    data = storable(data)
    whole = text if text is not None else as_text(data)
    shown = _filled(template, data, whole) if template else whole
    too_long = len(json.dumps(data, ensure_ascii=False)) > LONGEST_DATA
    return ToolResult(
        ok=True,
        data=None if too_long else data,
        text=shortened(storable(shown)),
        is_untrusted=is_untrusted,
    )


def as_text(data: Any) -> str:
    """JSON as a model reads it best."""
    return data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, default=str)


def shortened(text: str) -> str:
    """A text of at most `LONGEST_TEXT` characters, which says so where it was longer."""
    if len(text) <= LONGEST_TEXT:
        return text
    note = f"\n… ({len(text) - LONGEST_TEXT + 80:,} more characters were left out.)"
    return text[: LONGEST_TEXT - 80] + note


def storable(value: Any) -> Any:
    """A value as PostgreSQL can hold it: no NUL characters, no halves of surrogate pairs."""
    if isinstance(value, str):
        return _LOST.sub("", value)
    if isinstance(value, Mapping):
        return {storable(str(key)): storable(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [storable(inner) for inner in value]
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    return storable(str(value))


def _filled(template: str, data: Any, whole: str) -> str:
    try:
        return render(template, _Values(data, whole))
    except TemplateRefused:
        # What was done is done: a result that isn't as the template's author expected it is shown as it came.
        return whole


class _Values(Mapping[str, str]):
    """What a template may name: `result`, or a dotted path into the data such as `guest.name` or `slots.0`."""

    def __init__(self, data: Any, whole: str) -> None:
        self._data = data
        self._whole = whole

    def __getitem__(self, name: str) -> str:
        found: Any = self._data
        for part in name.split("."):
            if isinstance(found, dict) and part in found:
                found = found[part]
            elif isinstance(found, list) and part.isdecimal() and int(part) < len(found):
                found = found[int(part)]
            elif name == "result":
                return self._whole
            else:
                raise KeyError(name)
        return as_text(found)

    def __contains__(self, name: object) -> bool:
        try:
            self[str(name)]
        except KeyError:
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        yield "result"

    def __len__(self) -> int:
        return 1
