"""The pages of signing in: allauth's views with our forms, templates and frame."""

from __future__ import annotations

from typing import Any

from allauth.account import views as account
from allauth.account.internal.decorators import login_not_required
from allauth.account.internal.flows.login import perform_login
from allauth.account.models import Login
from allauth.core import ratelimit
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from django.contrib import admin
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse, reverse_lazy
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.generic import FormView, TemplateView

from switchboard.admin import operator_site, staff_site
from switchboard.kernel.problems import Problem
from switchboard.model_admin import show_in_form
from tenants.context import current_scope
from tenants.staff import lockout, mail, tasks
from tenants.staff.domain import invitations, passwords
from tenants.staff.models import Invitation, SsoConnection
from tenants.staff.signin import forms


def site_in_force() -> admin.AdminSite:
    """The admin site of the host that is asked: the operators' or a tenant's staff's."""
    scope = current_scope()
    return operator_site if scope is None or scope.is_public else staff_site


@method_decorator(never_cache, name="dispatch")
class Framed:
    """A page in the admin's frame."""

    request: HttpRequest
    title = ""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        frame = site_in_force().each_context(self.request)
        return {**frame, "title": self.title, **super().get_context_data(**kwargs)}  # type: ignore[misc]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        return response


class LoginView(Framed, account.LoginView):  # type: ignore[misc]
    """Name and password; or a button for each provider whose people may come in."""

    title = "Log in"
    form_class = forms.LoginForm
    template_name = "admin/login.html"

    def form_invalid(self, form: forms.LoginForm) -> HttpResponse:
        response: HttpResponse = super().form_invalid(form)
        if form.locked is not None:
            response.status_code = form.locked.status
            for name, value in form.locked.headers.items():
                response[name] = value
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        following = self.request.POST.get("next", self.request.GET.get("next", ""))
        connections = SsoConnection.objects.filter(enabled=True).defer("client_secret")
        return {**super().get_context_data(**kwargs), "next": following, "connections": connections}


class SecondFactorView(Framed, mfa.AuthenticateView):  # type: ignore[misc]
    title = "Second factor"
    form_class = forms.SecondFactorForm
    template_name = "signin/second_factor.html"


class SecondFactorAgainView(Framed, mfa.ReauthenticateView):  # type: ignore[misc]
    title = "Is it you?"
    form_class = forms.SecondFactorAgainForm
    template_name = "signin/again.html"


class AgainView(Framed, account.ReauthenticateView):  # type: ignore[misc]
    """Before somebody's security is changed, whoever sits there says once more who they are."""

    title = "Is it you?"
    form_class = forms.ReauthenticateForm
    template_name = "signin/again.html"


class InactiveView(Framed, TemplateView):
    title = "No way in"
    template_name = "signin/inactive.html"


@method_decorator(login_not_required, name="dispatch")
class ForgottenView(Framed, FormView[forms.ForgottenForm]):
    """Asked for, a link is sent to whoever has the address; the answer is the same where nobody has."""

    title = "Forgotten password"
    form_class = forms.ForgottenForm
    template_name = "signin/forgotten.html"
    success_url = reverse_lazy("account_reset_password_done")

    def form_valid(self, form: forms.ForgottenForm) -> HttpResponse:
        email = form.cleaned_data["email"].lower()
        refused: HttpResponse | None = ratelimit.consume_or_429(self.request, action="reset_password", key=email)
        if refused is not None:
            form.add_error(None, "Too many requests. Wait a few minutes.")
            response = self.form_invalid(form)
            response.status_code = 429
            return response
        key = "0-0"
        path = reverse("account_reset_password_from_key", args=["0", "0"]).replace(key, "{key}")
        site = f"{self.request.scheme}://{self.request.get_host()}"
        mail.later(tasks.send_password_reset, passwords.send_reset, email=email, site=site, path=path)
        return super().form_valid(form)


class ForgottenDoneView(Framed, account.PasswordResetDoneView):  # type: ignore[misc]
    title = "Look into your mail"
    template_name = "signin/forgotten_done.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "mail_is_delivered": mail.is_delivered()}


class NewPasswordView(Framed, account.PasswordResetFromKeyView):  # type: ignore[misc]
    """A new password by the link in the mail. Every session of the member ends with the old one."""

    title = "New password"
    form_class = forms.NewPasswordForm
    template_name = "signin/new_password.html"

    def form_valid(self, form: forms.NewPasswordForm) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        lockout.forgive(self.reset_user.get_username())
        return response


class NewPasswordDoneView(Framed, account.PasswordResetFromKeyDoneView):  # type: ignore[misc]
    title = "The password is changed"
    template_name = "signin/new_password_done.html"


@method_decorator(login_not_required, name="dispatch")
class InvitationView(Framed, FormView[forms.InvitedForm]):
    """Where an invitation's link leads: a name, a password, and in."""

    title = "Come in"
    form_class = forms.InvitedForm
    template_name = "signin/invitation.html"
    invitation: Invitation

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            self.invitation = invitations.find_invitation(token=kwargs["token"])
        except invitations.InvitationEnded as problem:
            frame = {**site_in_force().each_context(request), "title": "No invitation", "problem": problem.detail}
            return TemplateResponse(request, "signin/invitation_ended.html", frame, status=problem.status)
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "invitation": self.invitation}

    def form_valid(self, form: forms.InvitedForm) -> HttpResponse:
        try:
            member = invitations.accept(token=self.kwargs["token"], **form.cleaned_data)
        except Problem as problem:
            show_in_form(form, problem)
            return self.form_invalid(form)
        logout(self.request)
        response: HttpResponse = perform_login(self.request, Login(user=member))
        return response


class SecondFactorPage(Framed, mfa.IndexView):  # type: ignore[misc]
    title = "Second factor"
    template_name = "signin/second_factor_page.html"


class SetUpView(Framed, totp.ActivateTOTPView):  # type: ignore[misc]
    title = "Set up a second factor"
    form_class = forms.SetUpForm
    template_name = "signin/set_up.html"


class RemoveView(Framed, totp.DeactivateTOTPView):  # type: ignore[misc]
    title = "Remove the second factor"
    template_name = "signin/remove.html"


class RecoveryCodesView(Framed, codes.ViewRecoveryCodesView):  # type: ignore[misc]
    title = "Recovery codes"
    template_name = "signin/recovery_codes.html"


class NewRecoveryCodesView(Framed, codes.GenerateRecoveryCodesView):  # type: ignore[misc]
    title = "New recovery codes"
    template_name = "signin/new_recovery_codes.html"


def to_login(request: HttpRequest) -> HttpResponseRedirect:
    """Where whoever can't go on begins again."""
    return HttpResponseRedirect(reverse("account_login"))
