"""The two admin sites: the operators' on the platform's host, the staff's on each tenant's."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.sites import UnfoldAdminSite

from tenants.permissions import Permission, allows


class _Site(UnfoldAdminSite):  # type: ignore[misc]
    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """With `may.agents_write` and the like, so that a page shows no button that would be refused."""
        may = {permission.name.lower(): allows(request.user, permission) for permission in Permission}
        return {**super().each_context(request), "may": may}

    def admin_view(self, view: Callable[..., HttpResponse], cacheable: bool = False) -> Callable[..., HttpResponse]:
        """Who has yet to set up the second factor that is asked of all is led there, and nowhere else."""
        inner = super().admin_view(view, cacheable)

        @functools.wraps(inner)
        def led(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if getattr(request.user, "lacks_second_factor", False) and request.path != reverse("admin:logout"):
                return HttpResponseRedirect(reverse("mfa_activate_totp"))
            return inner(request, *args, **kwargs)  # type: ignore[no-any-return]

        return led


class OperatorSite(_Site):
    settings_name = "UNFOLD_OPERATORS"
    site_header = site_title = "Switchboard operators"
    index_title = "Home"
    index_template = "admin/operators_index.html"


class StaffSite(_Site):
    site_header = site_title = "Switchboard"
    index_title = "Home"
    index_template = "admin/staff_index.html"


operator_site = OperatorSite(name="operators")
staff_site = StaffSite(name="admin")
