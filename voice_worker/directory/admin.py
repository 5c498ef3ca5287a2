"""Phone numbers in the operators' admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from switchboard.admin import operator_site
from switchboard.model_admin import DomainModelAdmin
from tenants.permissions import Permission
from voice_worker.directory.domain import assign_number, withdraw_number
from voice_worker.directory.models import PhoneNumber


@admin.register(PhoneNumber, site=operator_site)
class PhoneNumberAdmin(DomainModelAdmin):
    can_add = can_delete = True
    view_permission, change_permission = Permission.TENANTS_READ, Permission.TENANTS_WRITE
    fields = ("number", "tenant", "agent_id")
    list_display = ("number", "tenant", "created_at")
    list_select_related = ("tenant",)
    search_fields = ("number", "tenant__name")

    def create(self, request: HttpRequest, values: dict[str, Any]) -> PhoneNumber:
        return assign_number(number=values["number"], tenant_id=values["tenant"].pk, agent_id=values["agent_id"])

    def remove(self, request: HttpRequest, row: Any) -> None:
        withdraw_number(number=row)
