"""Forms of the operators' admin and of a tenant's API keys."""

from __future__ import annotations

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from switchboard.kernel.problems import Problem
from tenants.domain.status import check_hostname
from tenants.models import valid_slug

_LIFETIMES = [("", "Never"), ("30", "In 30 days"), ("90", "In 90 days"), ("365", "In a year")]


class NewTenantForm(forms.Form):
    name = forms.CharField(max_length=120, widget=UnfoldAdminTextInputWidget(), help_text="As people read it.")
    slug = forms.CharField(
        max_length=40,
        validators=[valid_slug],
        widget=UnfoldAdminTextInputWidget(),
        help_text="Names its schema, and stays: lower-case letters, digits and _.",
    )
    domains = forms.CharField(
        label="Hostnames",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="One a line, without port; the first is the primary one.",
    )

    def clean_domains(self) -> list[str]:
        lines = [line for line in str(self.cleaned_data["domains"]).splitlines() if line.strip()]
        try:
            return list(dict.fromkeys(check_hostname(line) for line in lines))
        except Problem as problem:
            raise forms.ValidationError(problem.detail) from None


class DomainForm(forms.Form):
    domain = forms.CharField(
        label="Hostname", max_length=253, widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "hotel.example.com"})
    )


class NewApiKeyForm(forms.Form):
    name = forms.CharField(
        max_length=80, widget=UnfoldAdminTextInputWidget(), help_text="Where it will be used, such as “website”."
    )
    lifetime = forms.ChoiceField(label="Expires", choices=_LIFETIMES, required=False, widget=UnfoldAdminSelectWidget())

    def clean_lifetime(self) -> int | None:
        value: Any = self.cleaned_data.get("lifetime")
        return int(value) if value else None
