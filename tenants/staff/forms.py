"""Forms of the team's pages."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from unfold.forms import UserCreationForm
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from tenants.staff.domain.members import grantable
from tenants.staff.models import Role, SsoConnection, User

_OBJECTS_OFFERED = 200


class NewMemberForm(UserCreationForm):  # type: ignore[misc]
    class Meta:
        model = User
        fields = ("username", "role")


class InvitationForm(forms.Form):
    email = forms.EmailField(
        label="E-mail address",
        widget=UnfoldAdminEmailInputWidget(),
        help_text="The link goes there; they sign in with it.",
    )
    role = forms.ChoiceField(choices=Role.choices, initial=Role.VIEWER, widget=UnfoldAdminSelectWidget())


class OperatorInvitationForm(InvitationForm):
    """Operators have no roles: each may all that operators may."""

    role = forms.CharField(initial=Role.OWNER, widget=forms.HiddenInput())  # type: ignore[assignment]

    def clean_role(self) -> str:
        return Role.OWNER


class GrantForm(forms.Form):
    """A role on one object: the newest of each kind are offered."""

    target = forms.ChoiceField(label="On", widget=UnfoldAdminSelectWidget())
    role = forms.ChoiceField(label="As", choices=Role.choices, initial=Role.BUILDER, widget=UnfoldAdminSelectWidget())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["target"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            (str(model._meta.verbose_name_plural).capitalize(), [(f"{label}:{row.pk}", str(row)) for row in rows])
            for label, model in grantable().items()
            if (rows := list(model.objects.order_by("-pk")[:_OBJECTS_OFFERED]))
        ]

    def object_type_and_id(self) -> tuple[str, UUID]:
        label, _, identity = self.cleaned_data["target"].partition(":")
        return label, UUID(identity)


class SsoForm(forms.ModelForm[SsoConnection]):
    """The secret is written and never shown: an empty field keeps the one that is stored."""

    email_domains = forms.CharField(
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="One a line, such as example.com. Only people with a verified address there come in.",
    )
    new_client_secret = forms.CharField(
        label="Client secret",
        required=False,
        max_length=2000,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password", "spellcheck": "false"}),
    )

    class Meta:
        model = SsoConnection
        fields = ("name", "issuer", "client_id", "new_client_secret", "email_domains", "new_member_role", "enabled")
        widgets = {
            "name": UnfoldAdminTextInputWidget(attrs={"placeholder": "Example ID"}),
            "issuer": UnfoldAdminTextInputWidget(attrs={"placeholder": "https://id.example.com"}),
            "client_id": UnfoldAdminTextInputWidget(),
            "new_member_role": UnfoldAdminSelectWidget(),
            "enabled": UnfoldBooleanSwitchWidget(),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:
            self.fields["new_client_secret"].required = True
        else:
            self.initial["email_domains"] = "\n".join(self.instance.email_domains)
            self.fields["new_client_secret"].help_text = "Empty: the stored one stays."

    def clean_email_domains(self) -> list[str]:
        return [line.strip() for line in str(self.cleaned_data["email_domains"]).splitlines() if line.strip()]
