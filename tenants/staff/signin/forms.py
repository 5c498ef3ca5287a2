"""allauth's forms with the admin's widgets, and with an end to guessing."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as account
from allauth.core import context
from allauth.mfa.base import forms as mfa
from allauth.mfa.totp import forms as totp
from django import forms
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from switchboard.kernel.client_address import client_address
from switchboard.kernel.problems import Problem
from tenants.staff import lockout


def _dress(field: forms.Field, label: str, **attributes: str) -> None:
    """The admin's look, and what helps browsers and readers fill it in."""
    is_password = isinstance(field.widget, forms.PasswordInput)
    field.widget = (UnfoldAdminPasswordWidget if is_password else UnfoldAdminTextInputWidget)(attrs=attributes)
    field.label = label


class LoginForm(account.LoginForm):  # type: ignore[misc]
    """`locked` says that nothing was judged."""

    locked: Problem | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _dress(self.fields["login"], "Username", autocomplete="username", autocapitalize="none", autofocus="autofocus")
        _dress(self.fields["password"], "Password", autocomplete="current-password")
        self.fields["password"].help_text = None

    def clean(self) -> Any:
        try:
            return super().clean()
        except Problem as problem:
            self.locked = problem
            raise forms.ValidationError(problem.detail) from None


class ReauthenticateForm(account.ReauthenticateForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _dress(self.fields["password"], "Password", autocomplete="current-password", autofocus="autofocus")
        self.fields["password"].help_text = None

    def clean_password(self) -> Any:
        try:
            return super().clean_password()
        except Problem as problem:
            raise forms.ValidationError(problem.detail) from None


class _Code:
    """Codes are few, so they are counted like passwords; a code of six digits would be guessed within days."""

    fields: dict[str, forms.Field]
    user: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _dress(self.fields["code"], "Code", autocomplete="one-time-code", inputmode="text", autofocus="autofocus")

    def clean_code(self) -> Any:
        try:
            attempt = lockout.begin_attempt(
                account=str(self.user.pk), address=client_address(context.request.META), what="code"
            )
        except Problem as problem:
            raise forms.ValidationError(problem.detail) from None
        code = super().clean_code()  # type: ignore[misc]
        # A code is good for a minute and a half, whatever allauth remembers; whoever saw it typed is too late.
        if not lockout.first_use(account=str(self.user.pk), value=code):
            raise forms.ValidationError("Incorrect code.")
        attempt.succeeded()
        return code


class SecondFactorForm(_Code, mfa.AuthenticateForm):  # type: ignore[misc]
    pass


class SecondFactorAgainForm(_Code, mfa.ReauthenticateForm):  # type: ignore[misc]
    pass


class SetUpForm(_Code, totp.ActivateTOTPForm):  # type: ignore[misc]
    pass


class ForgottenForm(forms.Form):
    """Anything that looks like an address is accepted alike; who has it is found out later, by a worker."""

    email = forms.EmailField(
        label="E-mail address",
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "email", "autofocus": "autofocus"}),
    )


class NewPasswordForm(account.ResetPasswordKeyForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _dress(self.fields["password1"], "New password", autocomplete="new-password", autofocus="autofocus")
        _dress(self.fields["password2"], "New password again", autocomplete="new-password")


class InvitedForm(forms.Form):
    """Who an invited person is, and how they will sign in."""

    first_name = forms.CharField(
        label="First name", max_length=150, widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "given-name"})
    )
    last_name = forms.CharField(
        label="Last name", max_length=150, widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "family-name"})
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        max_length=1000,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )
