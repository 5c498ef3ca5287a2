"""The admin's form for a test case. Its turns are JSON, which the page's script shows as rows."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from agents.domain.test_cases import checked_turns
from agents.models import Agent, TestCase
from switchboard.kernel.problems import Problem

EMPTY_TURNS = [{"say": "", "expect": [{"kind": "contains", "text": ""}]}]


class CaseForm(forms.Form):
    """What people edit of a test case. The agent is chosen once, when it is made."""

    use_required_attribute = False
    agent = forms.ModelChoiceField(
        Agent.objects.filter(deleted_at=None), widget=UnfoldAdminSelectWidget(), empty_label="Choose one"
    )
    name = forms.CharField(
        max_length=120,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "Pool hours on Sundays", "autocomplete": "off"}),
    )
    turns = forms.CharField(
        label="Conversation",
        widget=UnfoldAdminTextareaWidget(
            attrs={"rows": 16, "spellcheck": "false", "class": "sb-code", "data-turns": ""}
        ),
    )
    tags = forms.CharField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2, "placeholder": "Add a tag", "data-chips": ""}),
        help_text="Lists can be narrowed to them.",
    )
    judge_optional = forms.BooleanField(
        label="Green without a judge model too",
        required=False,
        widget=UnfoldBooleanWidget(),
        help_text="Where the release has no judge, what it would judge is skipped.",
    )
    enabled = forms.BooleanField(
        required=False,
        widget=UnfoldBooleanWidget(),
        help_text="New releases carry it, and runs include it.",
    )
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput())

    def __init__(self, *args: Any, case: TestCase | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if case is not None:
            del self.fields["agent"]

    @staticmethod
    def values_of(case: TestCase) -> dict[str, Any]:
        """A form that starts from a case."""
        return {
            "name": case.name,
            "turns": as_text(case.turns),
            "tags": "\n".join(case.tags),
            "judge_optional": case.judge_optional,
            "enabled": case.enabled,
            "seen": case.revision,
        }

    def clean_tags(self) -> list[str]:
        return [line.strip() for line in str(self.cleaned_data["tags"]).splitlines() if line.strip()]

    def clean_turns(self) -> list[dict[str, Any]]:
        try:
            return checked_turns(json.loads(str(self.cleaned_data["turns"])))
        except Problem as problem:
            raise forms.ValidationError(sentences(problem)) from None
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError(f"This is no JSON: {str(error)[:200]}.") from None


def as_text(turns: Any) -> str:
    """Turns as people read and write them."""
    return json.dumps(turns, indent=2, ensure_ascii=False)


def sentences(problem: Problem) -> list[str]:
    """A refusal of turns, each fault with its place in words."""
    said = [(place_words(error["field"]), error["message"]) for error in problem.errors]
    return [f"{place}: {message}" if place else message for place, message in said] or [problem.detail]


def place_words(field: str) -> str:
    """`turns.0.expect.1.pattern` as people count: “Turn 1, expectation 2, pattern”."""
    words: list[str] = []
    names = {"turns": "Turn", "expect": "expectation"}
    parts = field.split(".")
    for index, part in enumerate(parts):
        if part.isdigit() and index and parts[index - 1] in names:
            words.append(f"{names[parts[index - 1]]} {int(part) + 1}")
        elif not part.isdigit() and part not in names:
            words.append(part)
    return ", ".join(words)
