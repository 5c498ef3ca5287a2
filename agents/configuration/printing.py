"""A plan as people read it in a terminal, and as programs read it over REST."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Final

from agents.configuration.plan import Action, Plan, Step
from agents.diff import Change, Segment

_SIGNS: Final = {Action.CREATE: "+", Action.RESTORE: "+", Action.DELETE: "-", Action.KEEP: "!"}
_WORDS: Final = {
    Action.CREATE: "create",
    Action.RESTORE: "restore",
    Action.CHANGE: "change",
    Action.OVERWRITE_DRAFT: "overwrite the draft",
    Action.PUBLISH: "publish",
    Action.RELEASE: "make release",
    Action.GO_LIVE: "go live with",
    Action.CANARY: "try",
    Action.END_CANARY: "end the canary",
    Action.DELETE: "delete",
    Action.KEEP: "keep",
}
_CONTEXT: Final = 40  # characters of a text on each side of what changed in it
_LONGEST: Final = 200


def as_text(plan: Plan) -> str:
    """A plan, an entry at a time; nothing where there is nothing to do."""
    return "".join(f"{line}\n" for line in _lines(plan))


def as_data(plan: Plan) -> list[dict[str, Any]]:
    """A plan's steps as JSON."""
    return [
        {
            "entry": step.entry,
            "action": step.action.value,
            "detail": step.detail,
            "changes": [_change_data(change) for change in step.changes],
        }
        for step in plan.steps
    ]


def _change_data(change: Change) -> dict[str, Any]:
    words = [{"side": segment.side, "text": segment.text} for segment in change.segments]
    return {"path": change.path, "kind": change.kind, "old": change.old, "new": change.new, "words": words}


def _lines(plan: Plan) -> Iterator[str]:
    for entry, found in groupby(plan.steps, key=lambda step: step.entry):
        steps = list(found)
        yield f"{_sign(steps)} {entry}: {', '.join(_sentence(step) for step in steps)}"
        for step in steps:
            for change in step.changes:
                yield f"    {change.path}: {_change(change)}"


def _sign(steps: Sequence[Step]) -> str:
    # Of an entry itself; what is created or deleted in it, such as a test case, changes it.
    signs = [_SIGNS.get(step.action, "~") if len(step.path) == 2 else "~" for step in steps]
    return signs[0] if signs[0] == "+" or len(set(signs)) == 1 else "~"


def _sentence(step: Step) -> str:
    return f"{_WORDS[step.action]} {step.detail}".rstrip()


def _change(change: Change) -> str:
    if change.segments:
        return "".join(_segment(change.segments, at) for at in range(len(change.segments)))
    if change.kind == "added":
        return f"{{+{_value(change.new)}+}}"
    if change.kind == "removed":
        return f"[-{_value(change.old)}-]"
    return f"{_value(change.old)} → {_value(change.new)}"


def _segment(segments: Sequence[Segment], at: int) -> str:
    segment = segments[at]
    text = segment.text.replace("\n", "⏎")
    if segment.side == "removed":
        return f"[-{text}-]"
    if segment.side == "added":
        return f"{{+{text}+}}"
    head = text[:_CONTEXT] if at > 0 else ""
    tail = text[-_CONTEXT:] if at < len(segments) - 1 else ""
    return text if len(text) <= len(head) + len(tail) else f"{head}…{tail}"


def _value(value: Any) -> str:
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    text = text.replace("\n", "⏎")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
