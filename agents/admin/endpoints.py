"""Model endpoints in the staff's admin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from agents.domain import endpoints
from agents.forms import EndpointForm
from agents.models import ModelEndpoint
from switchboard.admin import staff_site
from switchboard.model_admin import DomainModelAdmin
from tenants.permissions import Permission


@admin.register(ModelEndpoint, site=staff_site)
class ModelEndpointAdmin(DomainModelAdmin):
    can_add = can_change = can_delete = True
    view_permission, change_permission = Permission.SECRETS_READ, Permission.SECRETS_WRITE
    form = EndpointForm
    list_display = ("name", "provider", "base_url", "key_state", "created_at")
    search_fields = ("name", "base_url")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelEndpoint]:
        # The key never leaves the database for a page.
        rows: QuerySet[ModelEndpoint] = super().get_queryset(request)
        return rows.defer("api_key").annotate(has_key=~Q(api_key=""))

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Sequence[str]:
        return (
            ("name", "provider", "base_url", "key_state", "new_api_key", "remove_api_key")
            if obj
            else ("name", "provider", "base_url", "new_api_key")
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Sequence[str]:
        return ("key_state",) if obj else ()

    def get_form(self, request: HttpRequest, obj: Model | None = None, **kwargs: Any) -> Any:
        # Django's admin would make the form again with the fields above, of which two are not the model's.
        return EndpointForm

    @admin.display(description="Stored key")
    def key_state(self, row: Any) -> str:
        if getattr(row, "has_key", False):
            return format_html('<span class="sb-badge sb-good">{}</span>', "set")
        return format_html('<span class="sb-badge">{}</span>', "not set")

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        assert isinstance(form, EndpointForm)
        assert isinstance(obj, ModelEndpoint)
        fields = {name: form.cleaned_data[name] for name in ("name", "provider", "base_url")}
        if change:
            endpoints.update_endpoint(endpoint=obj, **fields, api_key=form.written_key())
        else:
            made = endpoints.create_endpoint(**fields, api_key=form.written_key() or "")
            obj.pk = made.pk

    def remove(self, request: HttpRequest, row: Model) -> None:
        assert isinstance(row, ModelEndpoint)
        endpoints.delete_endpoint(endpoint=row)
