"""The admin's forms for agents, releases and model endpoints."""

from __future__ import annotations

from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from agents.domain.endpoints import checked_address
from agents.models import ModelEndpoint
from agents.models.component import valid_slug
from agents.providers import OPENAI_COMPATIBLE
from switchboard.kernel.problems import Problem


def _line(**attributes: str) -> forms.TextInput:
    return forms.TextInput(attrs={"class": "sb-input", "autocomplete": "off", **attributes})


def _box(rows: int, **attributes: str) -> forms.Textarea:
    return forms.Textarea(attrs={"class": "sb-input", "rows": rows, "style": f"--rows: {rows}", **attributes})


class NewEntryForm(forms.Form):
    """What an entry of a registry begins with."""

    name = forms.CharField(max_length=120, widget=_line(autofocus="autofocus", **{"data-names": "id_slug"}))
    slug = forms.CharField(
        max_length=60,
        validators=[valid_slug],
        widget=_line(spellcheck="false"),
        help_text="Names it in configuration files and over the API; it stays.",
    )


class QuickStartForm(forms.Form):
    """Five things that an agent needs to answer somebody."""

    name = forms.CharField(
        label="What is it called?", max_length=120, widget=_line(autofocus="autofocus", placeholder="Marina")
    )
    prompt = forms.CharField(
        label="What should it do?",
        widget=_box(
            6,
            placeholder="You are Marina, the concierge of …\nAnswer warmly and briefly.",
        ),
        help_text="In your own words, as you would brief a new colleague. This becomes its prompt.",
    )
    model = forms.ChoiceField(
        label="Which model answers?", required=False, widget=forms.Select(attrs={"class": "sb-input"})
    )
    model_name = forms.CharField(
        label="The endpoint's name for the model",
        required=False,
        max_length=500,
        widget=_line(placeholder="gpt-4.1-mini", spellcheck="false"),
    )
    collections = forms.MultipleChoiceField(
        label="What may it answer from?", required=False, widget=forms.CheckboxSelectMultiple
    )
    welcome = forms.CharField(
        label="How does it greet people?",
        required=False,
        max_length=10_000,
        widget=_box(2, placeholder="Welcome! What can I do for you?"),
    )


class EndpointForm(forms.ModelForm[ModelEndpoint]):
    """The key is written and never shown: an empty field keeps the one that is stored."""

    new_api_key = forms.CharField(
        label="API key",
        required=False,
        max_length=4000,  # a service account's key of Google's is a JSON document
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password", "spellcheck": "false"}),
    )
    remove_api_key = forms.BooleanField(
        label="Remove the stored key",
        required=False,
        widget=UnfoldBooleanWidget(),
        help_text="For a server without keys.",
    )

    class Meta:
        model = ModelEndpoint
        fields = ("name", "provider", "base_url")
        labels = {"base_url": "Base URL"}
        widgets = {
            "name": UnfoldAdminTextInputWidget(),
            "provider": UnfoldAdminSelectWidget(),
            "base_url": UnfoldAdminTextInputWidget(attrs={"placeholder": "https://api.example.com/v1"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["base_url"].required = False
        self.fields["base_url"].help_text = "Up to and including /v1. Empty: the provider's own address."
        self.fields["new_api_key"].help_text = "Empty: at the provider's own address, the platform's key if it has one."

    def clean_base_url(self) -> str:
        try:
            # The provider stands before it, so it has been looked at; an unknown one is a fault of its own.
            provider = self.cleaned_data.get("provider", OPENAI_COMPATIBLE)
            return checked_address(provider, str(self.cleaned_data["base_url"]))
        except Problem as problem:
            raise forms.ValidationError(problem.detail) from None

    def written_key(self) -> str | None:
        """The key to store: None keeps what is there."""
        if self.cleaned_data["remove_api_key"]:
            return ""
        return str(self.cleaned_data["new_api_key"]).strip() or None
