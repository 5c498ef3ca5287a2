"""The admin's forms for flags: the flag itself, and whom it is tried for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from switchboard.kernel.problems import Problem
from tenants.flags.domain.flags import LONGEST_DESCRIPTION, LONGEST_KEY
from tenants.flags.evaluation import Context, TenantFacts
from tenants.flags.models import Flag, valid_key
from tenants.flags.rules import Rule, parse_rules
from tenants.flags.wording import place_words

_CHANNELS = [("", "Any"), *((name, name.capitalize()) for name in ("widget", "api", "inbox", "room", "call", "audio"))]


class JsonTextarea(UnfoldAdminTextareaWidget):  # type: ignore[misc]
    """The rules as text; the page's script puts an editor in its place."""

    def __init__(self) -> None:
        super().__init__(attrs={"rows": 14, "spellcheck": "false", "class": "sb-code", "data-rules": ""})


class FlagForm(forms.Form):
    """What people edit of a flag. The kill switch isn't in it: it never waits for a form."""

    key = forms.CharField(
        max_length=LONGEST_KEY,
        validators=[valid_key],
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "checkout.new_flow", "spellcheck": "false"}),
        help_text="Programs ask by it, so it stays: lower-case letters, digits and _, in parts joined by dots.",
    )
    description = forms.CharField(
        required=False,
        max_length=LONGEST_DESCRIPTION,
        widget=UnfoldAdminTextInputWidget(),
        help_text="What is on when it is on.",
    )
    rules = forms.CharField(
        required=False,
        widget=JsonTextarea(),
        help_text="From top to bottom; the first that matches decides.",
    )
    default = forms.TypedChoiceField(
        label="Where no rule matches",
        choices=[("off", "Off"), ("on", "On")],
        coerce=lambda value: value == "on",
        widget=UnfoldAdminSelectWidget(),
    )
    message = forms.CharField(
        label="Why",
        required=False,
        max_length=300,
        widget=UnfoldAdminTextInputWidget(),
        help_text="For whoever reads the history.",
    )
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput())

    def __init__(self, *args: Any, flag: Flag | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if flag is not None:
            del self.fields["key"]

    @staticmethod
    def values_of(flag: Flag) -> dict[str, Any]:
        """A form that starts from a flag."""
        return {
            "description": flag.description,
            "rules": json.dumps(flag.rules, indent=2, ensure_ascii=False),
            "default": "on" if flag.default else "off",
            "seen": flag.revision,
        }

    def clean_rules(self) -> list[dict[str, Any]]:
        text = str(self.cleaned_data["rules"]).strip() or "[]"
        try:
            rules: list[dict[str, Any]] = json.loads(text)
            parse_rules(rules)
        except Problem as problem:
            raise forms.ValidationError(sentences(problem)) from None
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError(f"This is no JSON: {str(error)[:200]}.") from None
        return rules


class LinesOfNames(forms.CharField):
    """Names and values, `name = value` on each line."""

    def __init__(self, **kwargs: Any) -> None:
        attributes = {"rows": 3, "placeholder": "country = DE", "spellcheck": "false"}
        super().__init__(required=False, widget=UnfoldAdminTextareaWidget(attrs=attributes), **kwargs)

    def clean(self, value: Any) -> Any:
        lines = [line.partition("=") for line in str(super().clean(value) or "").splitlines() if line.strip()]
        if any(not mark or not name.strip() for name, mark, _ in lines):
            raise forms.ValidationError("Write name = value, one a line.")
        return {name.strip(): value.strip() for name, _, value in lines}


class TryForm(forms.Form):
    """Somebody to evaluate the flag for. The draft comes along, so that it can be tried before it is saved."""

    use_required_attribute = False
    tier = forms.CharField(label="Service tier", required=False, max_length=80, widget=UnfoldAdminTextInputWidget())
    contact = forms.CharField(
        label="Contact",
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget(),
        help_text="An id; shares stick to it.",
    )
    agent = forms.CharField(required=False, max_length=200, widget=UnfoldAdminTextInputWidget(), help_text="Its slug.")
    channel = forms.ChoiceField(required=False, choices=_CHANNELS, widget=UnfoldAdminSelectWidget())
    metadata = LinesOfNames(label="Tenant metadata")
    contact_attributes = LinesOfNames(label="Attributes of the contact")
    unit = forms.CharField(
        label="Without a contact, shares stick to",
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Such as a conversation's id.",
    )
    at = forms.DateTimeField(
        label="At this moment (UTC)",
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
    )
    rules = forms.CharField(required=False, widget=forms.HiddenInput())
    default = forms.CharField(required=False, widget=forms.HiddenInput())

    def main_fields(self) -> Sequence[Any]:
        return [self[name] for name in ("tier", "contact", "agent", "channel")]

    def more_fields(self) -> Sequence[Any]:
        return [self[name] for name in ("metadata", "contact_attributes", "unit", "at")]

    def clean_rules(self) -> list[Rule]:
        try:
            return parse_rules(json.loads(str(self.cleaned_data["rules"]) or "[]"))
        except Problem as problem:
            raise forms.ValidationError(sentences(problem)) from None
        except (ValueError, RecursionError):
            raise forms.ValidationError("The rules aren't JSON.") from None

    def context(self) -> Context:
        """Who and where."""
        values = self.cleaned_data
        names = ("contact", "contact_attributes", "agent", "channel", "unit")
        return Context(**{name: values[name] for name in names})

    def facts(self) -> TenantFacts:
        """What to suppose of the tenant."""
        return TenantFacts(self.cleaned_data["tier"], self.cleaned_data["metadata"])


def sentences(problem: Problem) -> list[str]:
    """A refusal of rules, each fault with its place in words."""
    said = [(place_words(error["field"]), error["message"]) for error in problem.errors]
    return [f"{place}: {message}" if place else message for place, message in said] or [problem.detail]
