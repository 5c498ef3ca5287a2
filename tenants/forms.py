"""Forms of the operators' admin and of a tenant's API keys."""

from __future__ import annotations

from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from switchboard.kernel.problems import Problem
from tenants.domain.api_keys import MOST_OVERLAP_HOURS, OVERLAP_HOURS, TENANT_SCOPES
from tenants.domain.status import check_hostname
from tenants.limits import LIMITS
from tenants.models import ApiKey, Tenant, valid_metadata, valid_slug, valid_tier
from tenants.permissions import Permission, allows

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


class TenantNotesForm(forms.Form):
    """What operators note of a tenant, which flags may ask for, and the limits they set."""

    name = forms.CharField(max_length=120, widget=UnfoldAdminTextInputWidget())
    service_tier = forms.CharField(
        max_length=40,
        validators=[valid_tier],
        widget=UnfoldAdminTextInputWidget(),
        help_text="Such as free, standard or premium.",
    )
    metadata = forms.JSONField(
        required=False,
        validators=[valid_metadata],
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4, "spellcheck": "false"}),
        help_text='A JSON object of names and plain values, such as {"region": "eu"}.',
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, limit in LIMITS.items():
            self.fields[name] = forms.IntegerField(
                label=limit.label,
                required=False,
                min_value=0,
                max_value=limit.most,
                widget=UnfoldAdminIntegerFieldWidget(attrs={"placeholder": str(limit.default)}),
                help_text=f"Counts {limit.counts}. Empty: {limit.default}, as for all tenants. 0: no limit.",
            )

    @classmethod
    def of(cls, row: Tenant) -> TenantNotesForm:
        """The form with what is noted now."""
        noted = {"name": row.name, "service_tier": row.service_tier, "metadata": row.notes}
        return cls(initial={**noted, **row.limits})

    def clean_metadata(self) -> dict[str, Any]:
        return self.cleaned_data["metadata"] or {}

    def changes(self) -> dict[str, Any]:
        """What `change_tenant` takes."""
        notes = {name: value for name, value in self.cleaned_data.items() if name not in LIMITS}
        return {**notes, "limits": {name: self.cleaned_data[name] for name in LIMITS}}


class DomainForm(forms.Form):
    domain = forms.CharField(
        label="Hostname", max_length=253, widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "hotel.example.com"})
    )


class NewApiKeyForm(forms.Form):
    name = forms.CharField(
        max_length=80, widget=UnfoldAdminTextInputWidget(), help_text="Where it will be used, such as “website”."
    )
    kind = forms.ChoiceField(
        choices=[(ApiKey.Kind.BEARER, "Sent with each call"), (ApiKey.Kind.SIGNING, "Signs calls, and never travels")],
        required=False,
        widget=UnfoldAdminSelectWidget(),
    )
    scopes = forms.MultipleChoiceField(
        widget=UnfoldAdminCheckboxSelectMultipleWidget(), help_text="What a program with this key may do."
    )
    lifetime = forms.ChoiceField(label="Expires", choices=_LIFETIMES, required=False, widget=UnfoldAdminSelectWidget())

    def __init__(self, *args: Any, by: object, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = [scope.value for scope in Permission if scope in TENANT_SCOPES and allows(by, scope)]
        field = self.fields["scopes"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(scope, scope) for scope in own]
        field.initial = own

    def clean_kind(self) -> str:
        return str(self.cleaned_data.get("kind") or ApiKey.Kind.BEARER)

    def clean_lifetime(self) -> int | None:
        value: Any = self.cleaned_data.get("lifetime")
        return int(value) if value else None


class RotationForm(forms.Form):
    hours = forms.IntegerField(
        label="Hours that the old key goes on",
        min_value=0,
        max_value=MOST_OVERLAP_HOURS,
        initial=OVERLAP_HOURS,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="Time to bring the new key everywhere; 0 ends the old one at once.",
    )
