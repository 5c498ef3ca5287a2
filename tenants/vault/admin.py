"""Secrets in the admin: written, replaced, deleted, never shown."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminPasswordWidget

from switchboard.admin import staff_site
from switchboard.model_admin import DomainModelAdmin
from tenants.permissions import Permission
from tenants.vault.domain.vault import LONGEST_BYTES, change_secret, create_secret, delete_secret
from tenants.vault.models import Secret


class SecretForm(forms.ModelForm[Secret]):
    """The value is written and never shown: an empty field keeps the one that is stored."""

    new_value = forms.CharField(
        label="Value",
        required=False,
        strip=False,
        max_length=LONGEST_BYTES,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password", "spellcheck": "false"}),
        help_text="It is encrypted, and can't be had again.",
    )

    class Meta:
        model = Secret
        fields = ("name", "kind", "description")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:
            self.fields["new_value"].required = True
        else:
            self.fields["new_value"].help_text = "Leave it empty to keep the one that is stored."


@admin.register(Secret, site=staff_site)
class SecretAdmin(DomainModelAdmin):
    can_add = can_change = can_delete = True
    view_permission, change_permission = Permission.SECRETS_READ, Permission.SECRETS_WRITE
    form = SecretForm
    list_display = ("name", "kind", "description", "updated_at")
    list_filter = ("kind",)
    search_fields = ("name", "description")
    fields = ("name", "kind", "new_value", "description")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Secret]:
        rows: QuerySet[Secret] = super().get_queryset(request)
        return rows.defer("value")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("name",) if obj else ()

    def create(self, request: HttpRequest, values: dict[str, Any]) -> Secret:
        value = values.pop("new_value")
        return create_secret(value=value, **values)

    def update(self, request: HttpRequest, row: Any, values: dict[str, Any]) -> None:
        change_secret(
            secret=row,
            value=values["new_value"] or None,
            kind=values["kind"],
            description=values["description"],
        )

    def remove(self, request: HttpRequest, row: Any) -> None:
        delete_secret(secret=row)
