"""The trail in both admins: read, searched, exported. Nothing here writes."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path

from switchboard.admin import operator_site, staff_site
from switchboard.kernel.database import release_connections
from switchboard.model_admin import RowPageAdmin
from tenants.audit.export import export_response
from tenants.audit.models import AuditEvent
from tenants.audit.pages import AuditForm, found_by, page_of, shown
from tenants.permissions import Permission


@admin.register(AuditEvent, site=staff_site)
@admin.register(AuditEvent, site=operator_site)
class AuditEventAdmin(RowPageAdmin):
    view_permission = Permission.AUDIT_READ

    def get_urls(self) -> list[URLPattern]:
        export = self.admin_site.admin_view(self.export_view)
        return [path("export/", export, name="audit_auditevent_export"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = AuditForm(request.GET)
        events = found_by(form)
        return self.page(
            request,
            "admin/audit/list.html",
            title="Audit trail",
            form=form,
            found=page_of(events, before=request.GET.get("before", ""), query=form.query()),
            query=form.query(),
            is_first_page="before" not in request.GET,
        )

    def row_page(self, request: HttpRequest, row: AuditEvent) -> HttpResponse:
        return self.page(request, "admin/audit/event.html", title=row.action, item=shown(row), one=True)

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        if not self.has_view_permission(request):
            raise PermissionDenied
        events = found_by(AuditForm(request.GET))
        release_connections()
        return export_response(events, as_format="csv" if request.GET.get("format") == "csv" else "ndjson")
