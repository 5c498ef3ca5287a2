"""Allowed origins in the staff's admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from switchboard.admin import staff_site
from switchboard.model_admin import DomainModelAdmin
from tenants.origins.domain.origins import allow_origin, disallow_origin
from tenants.origins.models import AllowedOrigin
from tenants.permissions import Permission


@admin.register(AllowedOrigin, site=staff_site)
class AllowedOriginAdmin(DomainModelAdmin):
    can_add = can_delete = True
    view_permission, change_permission = Permission.SETTINGS_READ, Permission.SETTINGS_WRITE
    fields = ("origin",)
    list_display = ("origin", "created_at")
    search_fields = ("origin",)

    def create(self, request: HttpRequest, values: dict[str, Any]) -> AllowedOrigin:
        return allow_origin(**values)

    def remove(self, request: HttpRequest, row: Any) -> None:
        disallow_origin(origin=row)
