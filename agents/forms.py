"""The admin's forms for agents, releases and model endpoints."""

from __future__ import annotations

from django import forms
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from agents.models import ModelEndpoint
from switchboard.kernel.egress import check_url
from switchboard.kernel.problems import Problem


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
