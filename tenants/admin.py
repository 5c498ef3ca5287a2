"""Tenants for the operators; API keys for each tenant's administrators."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from switchboard.admin import operator_site, staff_site
from switchboard.kernel.problems import Problem
from switchboard.model_admin import DomainModelAdmin, RowPageAdmin, refused, show_in_form
from tenants.context import tenant_id, use_tenant
from tenants.domain import api_keys, provision, removal, status
from tenants.forms import DomainForm, NewApiKeyForm, NewTenantForm, RotationForm, TenantNotesForm
from tenants.models import ApiKey, Domain, Tenant
from tenants.permissions import Permission, allows

_SCOPES_SHOWN = 3
_STATUS_STYLE = {
    Tenant.Status.READY: "sb-good",
    Tenant.Status.PREPARING: "sb-busy",
    Tenant.Status.SUSPENDED: "sb-bad",
    Tenant.Status.DELETED: "sb-bad",
}


@admin.register(Tenant, site=operator_site)
class TenantAdmin(RowPageAdmin):
    """Tenants: made, suspended, resumed, deleted. Nothing of what is inside one shows here."""

    can_add = True
    view_permission, change_permission = Permission.TENANTS_READ, Permission.TENANTS_WRITE
    list_display = ("name", "slug", "state", "service_tier", "hostnames", "created_at")
    list_filter = ("status", "service_tier")
    search_fields = ("name", "slug", "domains__domain")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tenant]:
        rows: QuerySet[Tenant] = super().get_queryset(request)
        return rows.prefetch_related("domains")

    @admin.display(description="State", ordering="status")
    def state(self, row: Tenant) -> str:
        style = _STATUS_STYLE[Tenant.Status(row.status)]
        return format_html('<span class="sb-badge {}">{}</span>', style, row.get_status_display())

    @admin.display(description="Hostnames")
    def hostnames(self, row: Tenant) -> str:
        return ", ".join(domain.domain for domain in row.domains.all()) or "-"

    def get_urls(self) -> list[URLPattern]:
        def posted(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
            return self.admin_site.admin_view(require_POST(view))  # type: ignore[no-any-return]

        return [
            path("<uuid:pk>/suspend/", posted(self.suspend_view), name="tenants_tenant_suspend"),
            path("<uuid:pk>/resume/", posted(self.resume_view), name="tenants_tenant_resume"),
            path("<uuid:pk>/end/", posted(self.end_view), name="tenants_tenant_end"),
            path("<uuid:pk>/restore/", posted(self.restore_view), name="tenants_tenant_restore"),
            path("<uuid:pk>/notes/", posted(self.notes_view), name="tenants_tenant_notes"),
            path("<uuid:pk>/domains/", posted(self.domain_view), name="tenants_tenant_domain"),
            path("<uuid:pk>/invite/", posted(self.invite_view), name="tenants_tenant_invite"),
            path("<uuid:pk>/domains/<uuid:domain>/remove/", posted(self.undomain_view), name="tenants_tenant_undomain"),
            *super().get_urls(),
        ]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = NewTenantForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                made = provision.create_tenant(**form.cleaned_data)
            except Problem as problem:
                show_in_form(form, problem)
            else:
                messages.success(request, f"“{made}” is ready.")
                return HttpResponseRedirect(_page(made.pk))
        return self.page(
            request,
            "admin/tenants/form.html",
            title="New tenant",
            status=422 if form.errors else 200,
            form=form,
            submit="Make the tenant",
            back=reverse("admin:tenants_tenant_changelist", current_app=self.admin_site.name),
        )

    def row_page(self, request: HttpRequest, row: Tenant) -> HttpResponse:
        return self._tenant_page(request, row, TenantNotesForm.of(row))

    def _tenant_page(self, request: HttpRequest, row: Tenant, notes: TenantNotesForm) -> HttpResponse:
        return self.page(
            request,
            "admin/tenants/tenant.html",
            title=row.name,
            status=422 if notes.errors else 200,
            notes=notes,
            restore_days=removal.RESTORE_DAYS,
            original=row,
            tenant_row=row,
            style=_STATUS_STYLE[Tenant.Status(row.status)],
            domains=list(row.domains.order_by("-is_primary", "domain")),
            form=DomainForm(),
        )

    def suspend_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        return self._do(request, pk, lambda row: status.suspend_tenant(tenant=row), "“{}” is suspended.")

    def resume_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        return self._do(request, pk, lambda row: status.resume_tenant(tenant=row), "“{}” is open again.")

    def end_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        return self._do(request, pk, lambda row: removal.delete_tenant(tenant=row), "“{}” is deleted.")

    def restore_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        return self._do(request, pk, lambda row: removal.restore_tenant(tenant=row), "“{}” is back.")

    def notes_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        row = self.row(request, self.change_permission, Tenant.objects.all(), pk=pk)
        form = TenantNotesForm(request.POST)
        if form.is_valid():
            try:
                status.change_tenant(tenant=row, **form.changes())
            except Problem as problem:
                show_in_form(form, problem)
            else:
                messages.success(request, "It is noted; all servers follow within seconds.")
                return HttpResponseRedirect(_page(pk))
        return self._tenant_page(request, row, form)

    def invite_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """The first way in: operators invite an owner, who invites everybody else."""
        from tenants.staff.admin import invited
        from tenants.staff.domain import invitations

        row = self.row(request, self.change_permission, Tenant.objects.all(), pk=pk)
        host = row.domains.order_by("-is_primary").values_list("domain", flat=True).first()
        _, colon, port = request.get_host().partition(":")
        try:
            with use_tenant(row):
                made, link = invitations.invite(
                    email=request.POST.get("email", ""), role="owner", site=f"{request.scheme}://{host}{colon}{port}"
                )
        except Problem as problem:
            return refused(request, problem, to=_page(pk))
        return invited(self, request, made, link, _page(pk))

    def domain_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        name = request.POST.get("domain", "")
        return self._do(request, pk, lambda row: status.add_domain(tenant=row, domain=name), "The hostname is added.")

    def undomain_view(self, request: HttpRequest, pk: uuid.UUID, domain: uuid.UUID) -> HttpResponse:
        row = self.row(request, self.change_permission, Domain.objects.filter(tenant_id=pk), pk=domain)
        return self._do(request, pk, lambda _: status.remove_domain(domain=row), "The hostname is removed.")

    def _do(self, request: HttpRequest, pk: uuid.UUID, act: Callable[[Tenant], object], done: str) -> HttpResponse:
        row = self.row(request, self.change_permission, Tenant.objects.all(), pk=pk)
        try:
            act(row)
        except Problem as problem:
            return refused(request, problem, to=_page(pk))
        messages.success(request, done.format(row))
        return HttpResponseRedirect(_page(pk))


@admin.register(ApiKey, site=staff_site)
class ApiKeyAdmin(DomainModelAdmin):
    """Keys stand in the public schema, among those of all tenants: every query here says whose."""

    can_add = True
    view_permission, change_permission = Permission.KEYS_READ, Permission.KEYS_WRITE
    list_display = ("name", "beginning", "may", "state", "created_at", "last_used_at", "expires_at", "end_it")
    list_display_links = None
    search_fields = ("name", "prefix")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        rows: QuerySet[ApiKey] = super().get_queryset(request)
        return rows.filter(tenant_id=tenant_id())

    @admin.display(description="Begins with", ordering="prefix")
    def beginning(self, row: ApiKey) -> str:
        signs = row.kind == ApiKey.Kind.SIGNING
        return format_html("<code>{}</code> signs" if signs else "<code>sb_{}…</code>", row.prefix)

    @admin.display(description="May")
    def may(self, row: ApiKey) -> str:
        scopes = sorted(row.permissions)
        if row.permissions == api_keys.TENANT_SCOPES:
            return "Everything"
        shown = ", ".join(scopes[:_SCOPES_SHOWN])
        return f"{shown} and {len(scopes) - _SCOPES_SHOWN} more" if len(scopes) > _SCOPES_SHOWN else shown

    @admin.display(description="State")
    def state(self, row: ApiKey) -> str:
        if row.revoked_at is not None:
            return format_html('<span class="sb-badge sb-bad">{}</span>', "Revoked")
        if not row.is_usable:
            return format_html('<span class="sb-badge">{}</span>', "Expired")
        if row.replaced_by_id is not None:
            return format_html('<span class="sb-badge sb-busy">{}</span>', "Replaced, ends soon")
        return format_html('<span class="sb-badge sb-good">{}</span>', "In use" if row.last_used_at else "Never used")

    def get_list_display(self, request: HttpRequest) -> Sequence[str]:
        ends = allows(request.user, Permission.KEYS_WRITE)
        return [name for name in self.list_display if ends or name != "end_it"]

    @admin.display(description="")
    def end_it(self, row: ApiKey) -> str:
        if row.revoked_at is not None:
            return ""
        address = reverse("admin:tenants_apikey_revoke", args=[row.pk])
        # The list is a form of its own, so the button only says where to send it.
        revoke = format_html(
            '<button class="sb-button sb-small sb-danger" formaction="{}" aria-label="Revoke {}">Revoke</button>',
            address,
            row.name,
        )
        if not row.is_usable or row.replaced_by_id is not None:
            return revoke
        return format_html(
            '<a class="sb-button sb-small" href="{}" aria-label="Rotate {}">Rotate</a> {}',
            reverse("admin:tenants_apikey_rotate", args=[row.pk]),
            row.name,
            revoke,
        )

    def get_urls(self) -> list[URLPattern]:
        revoke = self.admin_site.admin_view(require_POST(self.revoke_view))
        rotate = self.admin_site.admin_view(self.rotate_view)
        return [
            path("<uuid:pk>/revoke/", revoke, name="tenants_apikey_revoke"),
            path("<uuid:pk>/rotate/", rotate, name="tenants_apikey_rotate"),
            *super().get_urls(),
        ]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = NewApiKeyForm(request.POST or None, by=request.user)

        def make() -> tuple[ApiKey, str]:
            days = form.cleaned_data["lifetime"]
            return api_keys.create_api_key(
                tenant=Tenant.objects.get(pk=tenant_id()),
                name=form.cleaned_data["name"],
                scopes=form.cleaned_data["scopes"],
                kind=form.cleaned_data["kind"],
                expires_at=timezone.now() + dt.timedelta(days=days) if days else None,
                by=request.user,
            )

        return self._shown_once(request, form, make, title="New API key", submit="Make a key")

    def rotate_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        row = self.row(request, self.change_permission, self.get_queryset(request), pk=pk)
        form = RotationForm(request.POST or None)

        def make() -> tuple[ApiKey, str]:
            return api_keys.rotate_api_key(key=row, hours=form.cleaned_data["hours"], by=request.user)

        return self._shown_once(request, form, make, title=f"Rotate “{row.name}”", submit="Make the new key")

    def _shown_once(
        self, request: HttpRequest, form: Form, make: Callable[[], tuple[ApiKey, str]], *, title: str, submit: str
    ) -> HttpResponse:
        """A form, and the key it makes on a page that no cache keeps."""
        made: tuple[ApiKey, str] | None = None
        if request.method == "POST" and form.is_valid():
            try:
                made = make()
            except Problem as problem:
                show_in_form(form, problem)
        response = self.page(
            request,
            "admin/tenants/key.html" if made else "admin/tenants/form.html",
            title=title,
            status=422 if form.errors else 200,
            form=form,
            key=made[1] if made else "",
            row=made[0] if made else None,
            submit=submit,
            back=reverse("admin:tenants_apikey_changelist"),
        )
        response["Cache-Control"] = "no-store"
        return response

    def revoke_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        row = self.row(request, self.change_permission, self.get_queryset(request), pk=pk)
        api_keys.revoke_api_key(key=row)
        messages.success(request, f"The key “{row.name}” is revoked; it is refused within a few seconds.")
        return HttpResponseRedirect(reverse("admin:tenants_apikey_changelist"))


def _page(pk: uuid.UUID) -> str:
    return reverse("admin:tenants_tenant_change", args=[pk], current_app=operator_site.name)
