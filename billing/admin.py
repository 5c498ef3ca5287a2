"""The ledger in the staff's admin: to be read."""

from __future__ import annotations

from django.contrib import admin

from billing.models import UsageEvent
from switchboard.admin import staff_site
from switchboard.model_admin import DomainModelAdmin
from tenants.permissions import Permission


@admin.register(UsageEvent, site=staff_site)
class UsageEventAdmin(DomainModelAdmin):
    view_permission = Permission.USAGE_READ
    list_display = (
        "created_at",
        "used_for",
        "provider",
        "model",
        "input_tokens",
        "cached_tokens",
        "output_tokens",
        "amount",
        "counted_by",
        "cost",
    )
    list_filter = ("service", "purpose", "provider", "model")
    search_fields = ("=conversation_id", "=turn_id", "model")
    date_hierarchy = "created_at"

    @admin.display(description="Used for", ordering="service")
    def used_for(self, row: UsageEvent) -> str:
        service = UsageEvent.Service(row.service).label
        return f"{service}: {row.purpose}" if row.purpose else service

    @admin.display(description="Amount", ordering="quantity")
    def amount(self, row: UsageEvent) -> str:
        if row.quantity is None:
            return "-"
        unit = UsageEvent.Unit(row.unit).label if row.unit else ""
        return f"{row.quantity.normalize():,f} {unit.removesuffix('s') if row.quantity == 1 else unit}".rstrip()

    @admin.display(description="Counted by")
    def counted_by(self, row: UsageEvent) -> str:
        return "us (estimated)" if row.is_estimated else "the provider"

    @admin.display(description="Cost", ordering="cost_usd")
    def cost(self, row: UsageEvent) -> str:
        return "-" if row.cost_usd is None else f"${row.cost_usd.normalize():f}"
