"""The admin's forms for agents, releases and model endpoints."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from agents.domain.releases import LOCAL_MODEL
from agents.models import Agent, ModelEndpoint, Release
from knowledge.models import Collection
from switchboard.kernel.egress import check_url
from switchboard.kernel.problems import Problem

MOST_QUESTIONS = 8
_QUESTION_CHARACTERS = 200


class LinesField(forms.CharField):
    """A list of texts, one a line."""

    widget = UnfoldAdminTextareaWidget

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        lines = [line.strip() for line in str(super().clean(value) or "").splitlines() if line.strip()]
        if len(lines) > MOST_QUESTIONS:
            raise forms.ValidationError(f"{MOST_QUESTIONS} questions at most, one a line.")
        if any(len(line) > _QUESTION_CHARACTERS for line in lines):
            raise forms.ValidationError(f"A question may have {_QUESTION_CHARACTERS} characters at most.")
        return lines


class AgentForm(forms.ModelForm[Agent]):
    suggested_questions = LinesField(
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text=f"Offered to start with, one a line; {MOST_QUESTIONS} at most.",
    )

    class Meta:
        model = Agent
        fields = ("name", "slug", "welcome", "suggested_questions")
        widgets = {"welcome": UnfoldAdminTextareaWidget(attrs={"rows": 3})}


class EndpointForm(forms.ModelForm[ModelEndpoint]):
    """The key is written and never shown: an empty field keeps the one that is stored."""

    new_api_key = forms.CharField(
        label="API key",
        required=False,
        max_length=2000,
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
        fields = ("name", "base_url")
        labels = {"base_url": "Base URL"}
        widgets = {
            "name": UnfoldAdminTextInputWidget(),
            "base_url": UnfoldAdminTextInputWidget(attrs={"placeholder": "https://api.example.com/v1"}),
        }

    def clean_base_url(self) -> str:
        try:
            return check_url(str(self.cleaned_data["base_url"]).strip().rstrip("/"), field="base_url")
        except Problem as problem:
            raise forms.ValidationError(problem.detail) from None

    def written_key(self) -> str | None:
        """The key to store: None keeps what is there."""
        if self.cleaned_data["remove_api_key"]:
            return ""
        return str(self.cleaned_data["new_api_key"]).strip() or None


class ReleaseForm(forms.Form):
    prompt = forms.CharField(
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 12}),
        help_text="Who the agent is, how it speaks, and what it must not do.",
    )
    endpoint = forms.ModelChoiceField(
        ModelEndpoint.objects.defer("api_key"),
        required=False,
        empty_label="Built-in local model (quotes the documents)",
        widget=UnfoldAdminSelectWidget(),
    )
    model = forms.CharField(
        required=False,
        max_length=120,
        widget=UnfoldAdminTextInputWidget(),
        help_text="The endpoint's name for it, such as gpt-4.1-mini. Empty for the local model.",
    )
    temperature = forms.FloatField(
        min_value=0,
        max_value=2,
        initial=0.2,
        widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "0.1"}),
        help_text="0 always says the likeliest; 2 is wild.",
    )
    max_tokens = forms.IntegerField(
        label="Longest answer",
        min_value=1,
        max_value=32_000,
        initial=1024,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="In tokens: about four characters each.",
    )
    collections = forms.ModelMultipleChoiceField(
        Collection.objects.all(),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="What it may answer from.",
    )
    message = forms.CharField(
        label="What changed",
        required=False,
        max_length=300,
        widget=UnfoldAdminTextInputWidget(),
        help_text="For whoever wonders later.",
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        model = values.get("model") or ""
        if values.get("endpoint") is None:
            if model and model != LOCAL_MODEL:
                self.add_error("endpoint", "Choose the endpoint that serves this model, or leave the model empty.")
            values["model"] = LOCAL_MODEL
        elif not model or model == LOCAL_MODEL:
            self.add_error("model", "Name the model, as the endpoint calls it.")
        return values

    @staticmethod
    def initial_of(release: Release | None) -> dict[str, Any]:
        """A form that starts from a release."""
        if release is None:
            return {"collections": list(Collection.objects.values_list("pk", flat=True)[:50])}
        return {
            "prompt": release.prompt,
            "endpoint": release.endpoint_id,
            "model": "" if release.endpoint_id is None else release.model,
            "temperature": release.temperature,
            "max_tokens": release.max_tokens,
            "collections": release.collection_ids,
        }

    def release_values(self) -> dict[str, Any]:
        """The arguments of `make_release`."""
        values = {**self.cleaned_data}
        chosen: list[uuid.UUID] = [collection.pk for collection in values.pop("collections")]
        return {**values, "collection_ids": chosen}
