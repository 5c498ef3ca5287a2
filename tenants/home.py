"""The operators' home page."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import Count, Q
from django.http import HttpRequest

from tenants.models import Tenant

_ROWS: Final = 8


def operators_home(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """How many tenants there are in which state, and the newest (unfold's DASHBOARD_CALLBACK). Three queries."""
    counts = {status.value: Count("pk", filter=Q(status=status)) for status in Tenant.Status}
    newest = Tenant.objects.order_by("-id").prefetch_related("domains")[:_ROWS]
    context.update({"tenant_counts": Tenant.objects.aggregate(**counts), "newest": newest})
    return context
