"""Settings of signing in: single sign-on, and what is asked of everybody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from unfold.widgets import UnfoldBooleanSwitchWidget

from switchboard.admin import operator_site, staff_site
from switchboard.model_admin import DomainModelAdmin
from tenants.permissions import Permission
from tenants.staff.domain import second_factor, sso
from tenants.staff.forms import SsoForm
from tenants.staff.models import SignInPolicy, SsoConnection, User

_FIELDS = ("name", "issuer", "client_id", "email_domains", "new_member_role", "enabled")


class SsoConnectionAdmin(DomainModelAdmin):
    """OpenID Connect providers whose people may sign in here."""

    can_add = can_change = can_delete = True
    view_permission, change_permission = Permission.SETTINGS_READ, Permission.SETTINGS_WRITE
    form = SsoForm
    list_display = ("name", "issuer", "state", "new_member_role")

    def get_queryset(self, request: HttpRequest) -> QuerySet[SsoConnection]:
        # The secret never leaves the database for a page.
        rows: QuerySet[SsoConnection] = super().get_queryset(request)
        return rows.defer("client_secret")

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Sequence[str]:
        fields = ["name", "issuer", "client_id", "new_client_secret", "email_domains", "new_member_role", "enabled"]
        return [*fields, "callback"] if obj else fields

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Sequence[str]:
        return ("callback",) if obj else ()

    def get_form(self, request: HttpRequest, obj: Model | None = None, **kwargs: Any) -> Any:
        # Django's admin would make the form again with the fields above, of which one is not the model's.
        return SsoForm

    @admin.display(description="Redirect URI, after this site's address")
    def callback(self, row: SsoConnection) -> str:
        """What the provider must be told."""
        path = reverse("openid_connect_callback", args=[row.pk])
        return format_html("<code>{}</code>", path)

    @admin.display(description="State", ordering="enabled")
    def state(self, row: SsoConnection) -> str:
        if not row.enabled:
            return format_html('<span class="sb-badge">{}</span>', "Off")
        return format_html('<span class="sb-badge sb-good">{}</span>', "On")

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        assert isinstance(obj, SsoConnection)
        values = {name: form.cleaned_data[name] for name in _FIELDS}
        secret = form.cleaned_data["new_client_secret"] or None
        if change:
            sso.change_connection(connection=obj, client_secret=secret, **values)
        else:
            obj.pk = sso.create_connection(client_secret=secret or "", **values).pk
            obj._state.adding = False

    def remove(self, request: HttpRequest, row: Model) -> None:
        assert isinstance(row, SsoConnection)
        sso.delete_connection(connection=row)


class PolicyForm(forms.Form):
    require_second_factor = forms.BooleanField(
        label="Ask everybody for a second factor",
        required=False,
        widget=UnfoldBooleanSwitchWidget(),
        help_text="Whoever signs in with a password also types the code of an authenticator app. "
        "Who has none yet is led to set it up, and can do nothing else until then.",
    )


class SignInPolicyAdmin(DomainModelAdmin):
    """One page for the one row."""

    view_permission, change_permission = Permission.SETTINGS_READ, Permission.SETTINGS_WRITE

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.require(request, self.view_permission)
        address = reverse("admin:staff_signinpolicy_changelist", current_app=self.admin_site.name)
        if request.method == "POST":
            self.require(request, self.change_permission)
            form = PolicyForm(request.POST)
            if form.is_valid():
                second_factor.require_second_factor(required=form.cleaned_data["require_second_factor"])
                messages.success(request, "It is in force within seconds.")
                return HttpResponseRedirect(address)
        required = SignInPolicy.objects.filter(require_second_factor=True).exists()
        people = User.objects.filter(is_staff=True, is_active=True)
        return self.page(
            request,
            "admin/staff/signinpolicy/page.html",
            title="Sign-in",
            form=PolicyForm(initial={"require_second_factor": required}),
            without=people.filter(second_factor_since=None).count(),
            people=people.count(),
            may_change=self.has_write_permission(request),
        )


for site in (staff_site, operator_site):
    site.register(SsoConnection, SsoConnectionAdmin)
    site.register(SignInPolicy, SignInPolicyAdmin)
