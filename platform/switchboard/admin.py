"""The two admin sites: the operators' on the platform's host, the staff's on each tenant's."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from django.core.exceptions import BadRequest
from django.core.paginator import InvalidPage, Paginator
from django.db import DataError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from unfold.dataclasses import SearchResult
from unfold.sites import UnfoldAdminSite

from switchboard.model_admin import DomainModelAdmin
from tenants.permissions import Permission, allows

_SHORTEST_TERM: Final = 2
_LONGEST_TERM: Final = 100
_ROWS_OF_A_KIND: Final = 6


def _name_of(page: DomainModelAdmin, view: str) -> str:
    return f"admin:{page.opts.app_label}_{page.opts.model_name}_{view}"


class _Site(UnfoldAdminSite):  # type: ignore[misc]
    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """With `may.agents_write` and the like, so that a page shows no button that would be refused."""
        may = {permission.name.lower(): allows(request.user, permission) for permission in Permission}
        return {**super().each_context(request), "may": may}

    def admin_view(self, view: Callable[..., HttpResponse], cacheable: bool = False) -> Callable[..., HttpResponse]:
        """Who has yet to set up the second factor that is asked of all is led there, and nowhere else.

        An address with what PostgreSQL can't compare, such as a NUL or half a regular expression, is a bad request: to
        Django's lists and unfold's search it would be an error of the server's.
        """
        inner = super().admin_view(view, cacheable)

        @functools.wraps(inner)
        def led(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if getattr(request.user, "lacks_second_factor", False) and request.path != reverse("admin:logout"):
                return HttpResponseRedirect(reverse("mfa_activate_totp"))
            try:
                return inner(request, *args, **kwargs)  # type: ignore[no-any-return]
            except (DataError, InvalidPage):
                raise BadRequest("The request holds a value that can't be looked up.") from None

        return led


class OperatorSite(_Site):
    settings_name = "UNFOLD_OPERATORS"
    site_header = site_title = "Switchboard operators"
    index_title = "Home"
    index_template = "admin/operators_index.html"


class StaffSite(_Site):
    @method_decorator(never_cache)
    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The search for everything (Ctrl K): pages and rows that whoever asks may see, one query a kind of row."""
        term = request.GET.get("s", "").replace("\x00", "").strip()[:_LONGEST_TERM]
        if len(term) < _SHORTEST_TERM:
            return HttpResponse()
        since = time.monotonic()
        results = list(self._found(request, term))
        return TemplateResponse(
            request,
            "unfold/helpers/command_results.html",
            {
                "results": Paginator(results, len(results) or 1).page(1),
                "page_obj": {"count": len(results)},
                "page_counter": 0,
                "execution_time": time.monotonic() - since,
                "command_show_history": False,
            },
            headers={"HX-Trigger": "search"},
        )

    def _found(self, request: HttpRequest, term: str) -> Iterator[SearchResult]:
        pages = [page for page in self._registry.values() if isinstance(page, DomainModelAdmin)]
        pages = [page for page in pages if page.has_view_permission(request)]
        for page in pages:
            title = str(page.opts.verbose_name_plural).capitalize()
            if term.lower() in title.lower():
                yield SearchResult(title, "Page", reverse(_name_of(page, "changelist")), page.palette_icon)
        for page in pages:
            for row, description in page.palette_rows(term, _ROWS_OF_A_KIND):
                address = reverse(_name_of(page, "change"), args=[row.pk])
                yield SearchResult(str(row) or "Untitled", description, address, page.palette_icon)

    site_header = site_title = "Switchboard"
    index_title = "Home"
    index_template = "admin/staff_index.html"


operator_site = OperatorSite(name="operators")
staff_site = StaffSite(name="admin")
