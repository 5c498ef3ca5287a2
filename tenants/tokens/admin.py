"""Token issuers in the staff's admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from switchboard.admin import staff_site
from switchboard.model_admin import DomainModelAdmin
from tenants.permissions import Permission
from tenants.tokens.domain.issuers import change_issuer, create_issuer, delete_issuer
from tenants.tokens.models import ALGORITHMS, TokenIssuer, all_algorithms

_CLAIMS = (
    "contact_claim",
    "contact_prefix",
    "session_claim",
    "tenant_claim",
    "tenant_value",
    "groups_claim",
    "required_group",
)


class IssuerForm(forms.ModelForm[TokenIssuer]):
    algorithms = forms.MultipleChoiceField(
        choices=[(name, name) for name in ALGORITHMS],
        initial=all_algorithms,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
    )

    class Meta:
        model = TokenIssuer
        fields = ("name", "issuer", "jwks_url", "audience", "audience_claim", "algorithms", "enabled", *_CLAIMS)


@admin.register(TokenIssuer, site=staff_site)
class TokenIssuerAdmin(DomainModelAdmin):
    can_add = can_change = can_delete = True
    view_permission, change_permission = Permission.SETTINGS_READ, Permission.SETTINGS_WRITE
    form = IssuerForm
    list_display = ("name", "issuer", "enabled", "updated_at")
    search_fields = ("name", "issuer")
    fieldsets = (
        (None, {"fields": ("name", "issuer", "jwks_url", "audience", "audience_claim", "algorithms", "enabled")}),
        ("Claims", {"fields": _CLAIMS}),
    )

    def create(self, request: HttpRequest, values: dict[str, Any]) -> TokenIssuer:
        return create_issuer(**values)

    def update(self, request: HttpRequest, row: Any, values: dict[str, Any]) -> None:
        change_issuer(row=row, **values)

    def remove(self, request: HttpRequest, row: Any) -> None:
        delete_issuer(row=row)
