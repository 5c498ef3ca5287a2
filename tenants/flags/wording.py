"""Flags in plain words: what a rule says, and why a flag is what it is."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any, Final

from tenants.flags.evaluation import Evaluation, Reason

ATTRIBUTES: Final = {
    "tier": "service tier",
    "tenant": "tenant metadata",
    "contact": "contact",
    "agent": "agent",
    "channel": "channel",
}
OPERATORS: Final = {
    "is": "is",
    "is_not": "is not",
    "in": "is one of",
    "not_in": "is none of",
    "contains": "contains",
    "starts_with": "starts with",
    "at_least": "is at least",
    "at_most": "is at most",
    "exists": "is known",
}
_REASONS: Final = {
    Reason.KILL_SWITCH: "it is switched off.",
    Reason.RULE: "rule {rule} matches.",
    Reason.PERCENTAGE: "rule {rule} matches, and who asks is in its share.",
    Reason.DEFAULT: "no rule matches, so the default holds.",
    Reason.UNKNOWN_FLAG: "there is no such flag.",
    Reason.UNREADABLE: "its rules can't be read.",
    Reason.PLATFORM_KILL_SWITCH: "the operators have switched it off for everybody.",
    Reason.PLATFORM_RULE: "rule {rule} of the operators' flag matches.",
    Reason.PLATFORM_PERCENTAGE: "rule {rule} of the operators' flag matches, and who asks is in its share.",
    Reason.PLATFORM_DEFAULT: "no rule of the operators' flag matches, so its default holds.",
    Reason.PLATFORM_UNREADABLE: "the rules of the operators' flag can't be read.",
}


def reason_words(answer: Evaluation) -> str:
    """Why, as a sentence that goes on after "On:" or "Off:"."""
    return _REASONS[answer.reason].format(rule=0 if answer.rule_index is None else answer.rule_index + 1)


def rule_words(rule: Mapping[str, Any]) -> str:
    """A stored rule as a sentence: "If service tier is gold, for 10 %: on."."""
    said = [
        f"{'if' if index == 0 else 'and'} {_condition_words(condition)}"
        for index, condition in enumerate(rule.get("conditions", ()))
    ]
    if "percentage" in rule:
        said.append(f"for {rule['percentage']:g} %")
    said += [f"{word} {_moment(rule[word])}" for word in ("from", "until") if word in rule]
    text = " ".join(said) or "always"
    return f"{text[0].upper()}{text[1:]}: {rule.get('then', 'on')}"


def place_words(field: str) -> str:
    """Where a fault is: `rules.0.conditions.1.value` is "Rule 1, condition 2, value"."""
    parts, said = field.split("."), []
    for name, part in itertools.pairwise(parts):
        if part.isdigit():
            said.append({"rules": "Rule", "conditions": "condition"}.get(name, "entry") + f" {int(part) + 1}")
    if len(parts) > 1 and not parts[-1].isdigit():
        said.append(parts[-1])
    return ", ".join(said)


def _condition_words(condition: Mapping[str, Any]) -> str:
    of, _, name = str(condition.get("attribute", "")).partition(".")
    subject = f"{ATTRIBUTES.get(of, of)} {name}".strip()
    operator, value = condition.get("operator", ""), condition.get("value")
    if operator == "exists":
        return f"{subject} is {'known' if value else 'not known'}"
    said = ", ".join(map(_plain, value)) if isinstance(value, list) else _plain(value)
    return f"{subject} {OPERATORS.get(operator, operator)} {said}"


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _moment(text: str) -> str:
    return text.replace("T", " ").removesuffix(":00Z").removesuffix("Z") + " UTC"
