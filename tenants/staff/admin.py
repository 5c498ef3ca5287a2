"""People: a tenant's team on its own site, the operators on the platform's. The schema in force says which."""

from __future__ import annotations

import uuid
from typing import Any, Final

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_POST
from unfold.forms import AdminPasswordChangeForm, UserChangeForm

from switchboard.admin import operator_site, staff_site
from switchboard.kernel.problems import Problem
from switchboard.model_admin import DomainModelAdmin, refused, show_in_form
from tenants.permissions import Permission
from tenants.staff import mail, settings_admin  # noqa: F401  (it registers its pages)
from tenants.staff.domain import invitations, members, second_factor
from tenants.staff.domain.members import grantable
from tenants.staff.forms import GrantForm, InvitationForm, NewMemberForm, OperatorInvitationForm
from tenants.staff.models import Invitation, ObjectGrant, User

_CHANGEABLE: Final = ("first_name", "last_name", "email", "role", "is_active")


class MemberAdmin(DomainModelAdmin, UserAdmin):  # type: ignore[type-arg]
    """Who works here, and as what. Nobody is deleted: what they made names them. Who leaves is made inactive."""

    can_add = can_change = True
    has_roles = True
    view_permission, change_permission = Permission.MEMBERS_READ, Permission.MEMBERS_WRITE
    form = UserChangeForm
    add_form = NewMemberForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "full_name", "email", "role", "state", "factor", "last_login")
    list_filter = ("role", "is_active")
    search_fields = ("username", "first_name", "last_name", "email")
    ordering = ("username",)
    filter_horizontal = ()
    readonly_fields = ("last_login", "factor")
    fieldsets = (
        (None, {"fields": ("username", "password", "factor")}),
        ("Person", {"fields": ("first_name", "last_name", "email", "last_login")}),
        ("May", {"fields": ("role", "is_active")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "password1", "password2", "role")}),)
    change_list_template = "admin/staff/user/list.html"
    change_form_outer_after_template = "admin/staff/user/after.html"

    @admin.display(description="Name", ordering="last_name")
    def full_name(self, row: User) -> str:
        return row.get_full_name() or "-"

    @admin.display(description="State", ordering="is_active")
    def state(self, row: User) -> str:
        if not row.is_active:
            return format_html('<span class="sb-badge">{}</span>', "Inactive")
        return format_html('<span class="sb-badge sb-good">{}</span>', "Active")

    @admin.display(description="Second factor", ordering="second_factor_since")
    def factor(self, row: User) -> str:
        if row.second_factor_since is None:
            return format_html('<span class="sb-badge">{}</span>', "Not set up")
        return format_html('<span class="sb-badge sb-good">{}</span>', "Set up")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("username", *self.readonly_fields) if obj else self.readonly_fields

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        extra: dict[str, Any] = {**(extra_context or {})}
        if row is not None and self.has_view_permission(request, row):
            extra |= {"grants": _grants(row), "has_roles": self.has_roles}
            if self.has_roles and self.has_write_permission(request):
                extra["grant_form"] = GrantForm()
        return super().change_view(request, object_id, form_url, extra)

    # A password is Django's own form's to check and hash.
    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        values = form.cleaned_data
        if change:
            members.change_member(member=obj, **{name: values[name] for name in _CHANGEABLE if name in values})
        else:
            made = members.create_member(
                username=values["username"], password=values.get("password1"), role=values["role"]
            )
            obj.pk, obj._state.adding = made.pk, False

    # --- grants and second factors --------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<uuid:pk>/grants/", wrap(require_POST(self.grant_view)), name="staff_user_grant"),
            path(
                "<uuid:pk>/grants/<uuid:grant>/revoke/", wrap(require_POST(self.revoke_view)), name="staff_user_ungrant"
            ),
            path("<uuid:pk>/second-factor/reset/", wrap(require_POST(self.reset_view)), name="staff_user_reset"),
            *super().get_urls(),
        ]

    def grant_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        member = self.row(request, self.change_permission, User.objects.all(), pk=pk)
        form = GrantForm(request.POST)
        if not form.is_valid():
            messages.error(request, "Choose an object and a role.")
            return self._back(pk)
        object_type, object_id = form.object_type_and_id()
        try:
            members.grant_on_object(
                member=member, object_type=object_type, object_id=object_id, role=form.cleaned_data["role"]
            )
        except Problem as problem:
            return refused(request, problem, to=self._page(pk))
        messages.success(request, "The role is given.")
        return self._back(pk)

    def revoke_view(self, request: HttpRequest, pk: uuid.UUID, grant: uuid.UUID) -> HttpResponse:
        row = self.row(request, self.change_permission, ObjectGrant.objects.filter(member_id=pk), pk=grant)
        members.revoke_grant(grant=row)
        messages.success(request, "The role is taken back.")
        return self._back(pk)

    def reset_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        member = self.row(request, self.change_permission, User.objects.all(), pk=pk)
        second_factor.reset_second_factor(member=member)
        messages.success(request, f"{member} signs in with the password alone, and can set up a second factor anew.")
        return self._back(pk)

    def _page(self, pk: uuid.UUID) -> str:
        return reverse("admin:staff_user_change", args=[pk], current_app=self.admin_site.name)

    def _back(self, pk: uuid.UUID) -> HttpResponse:
        return HttpResponseRedirect(self._page(pk))


class OperatorAdmin(MemberAdmin):
    """On the platform's own site everybody is an operator, and may what operators may."""

    has_roles = False
    list_display = ("username", "full_name", "email", "state", "factor", "last_login")  # type: ignore[assignment]
    list_filter = ("is_active",)  # type: ignore[assignment]
    fieldsets = (
        (None, {"fields": ("username", "password", "factor")}),
        ("Person", {"fields": ("first_name", "last_name", "email", "last_login")}),
        ("May", {"fields": ("is_active",)}),
    )


class InvitationAdmin(DomainModelAdmin):
    """Who is invited. A link is shown only where no mail server would bring it, and only once."""

    can_add = True
    view_permission, change_permission = Permission.MEMBERS_READ, Permission.MEMBERS_WRITE
    invitation_form = InvitationForm
    list_display = ("email", "role", "state", "created_at", "expires_at", "end_it")
    list_display_links = None
    search_fields = ("email",)

    @admin.display(description="State")
    def state(self, row: Invitation) -> str:
        if row.accepted_at is not None:
            return format_html('<span class="sb-badge sb-good">{}</span>', "Accepted")
        if row.revoked_at is not None:
            return format_html('<span class="sb-badge sb-bad">{}</span>', "Revoked")
        if row.expires_at <= timezone.now():
            return format_html('<span class="sb-badge">{}</span>', "Expired")
        return format_html('<span class="sb-badge sb-busy">{}</span>', "Open")

    @admin.display(description="")
    def end_it(self, row: Invitation) -> str:
        if not row.is_open:
            return ""
        address = reverse("admin:staff_invitation_revoke", args=[row.pk], current_app=self.admin_site.name)
        # The list is a form of its own, so the button only says where to send it.
        return format_html(
            '<button class="sb-button sb-small sb-danger" formaction="{}" aria-label="Revoke {}">Revoke</button>',
            address,
            row.email,
        )

    def get_list_display(self, request: HttpRequest) -> list[str]:
        ends = self.has_write_permission(request)
        return [name for name in self.list_display if ends or name != "end_it"]

    def get_urls(self) -> list[URLPattern]:
        revoke = self.admin_site.admin_view(require_POST(self.revoke_view))
        return [path("<uuid:pk>/revoke/", revoke, name="staff_invitation_revoke"), *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = self.invitation_form(request.POST or None)
        back = reverse("admin:staff_invitation_changelist", current_app=self.admin_site.name)
        if request.method == "POST" and form.is_valid():
            site = f"{request.scheme}://{request.get_host()}"
            assert isinstance(request.user, User)
            try:
                row, link = invitations.invite(invited_by=request.user, site=site, **form.cleaned_data)
            except Problem as problem:
                show_in_form(form, problem)
            else:
                return invited(self, request, row, link, back)
        return self.page(
            request,
            "admin/tenants/form.html",
            title="Invite somebody",
            status=422 if form.errors else 200,
            form=form,
            submit="Send the invitation",
            back=back,
        )

    def revoke_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        row = self.row(request, self.change_permission, Invitation.objects.all(), pk=pk)
        invitations.revoke(invitation=row)
        messages.success(request, f"The invitation of {row.email} is revoked.")
        back = reverse("admin:staff_invitation_changelist", current_app=self.admin_site.name)
        return HttpResponseRedirect(back)


class OperatorInvitationAdmin(InvitationAdmin):
    invitation_form = OperatorInvitationForm
    list_display = ("email", "state", "created_at", "expires_at", "end_it")  # type: ignore[assignment]


def invited(
    page: DomainModelAdmin, request: HttpRequest, row: Invitation, link: str, back: str
) -> HttpResponseRedirect | TemplateResponse:
    """What comes after an invitation: the link, where no mail server would bring it."""
    if mail.is_delivered():
        messages.success(request, f"A mail to {row.email} is on its way.")
        return HttpResponseRedirect(back)
    response = page.page(request, "admin/staff/invitation/link.html", title="Invitation", row=row, link=link, back=back)
    response["Cache-Control"] = "no-store"
    return response


def _grants(member: User) -> list[dict[str, Any]]:
    """A member's grants with the names of their objects, in one query for each kind."""
    rows: QuerySet[ObjectGrant] = member.grants.all()
    names: dict[tuple[str, uuid.UUID], Model] = {}
    for label, model in grantable().items():
        wanted = [row.object_id for row in rows if row.object_type == label]
        names |= {(label, row.pk): row for row in model.objects.filter(pk__in=wanted)} if wanted else {}
    return [{"row": row, "name": names.get((row.object_type, row.object_id), "something deleted")} for row in rows]


staff_site.register(User, MemberAdmin)
staff_site.register(Invitation, InvitationAdmin)
operator_site.register(User, OperatorAdmin)
operator_site.register(Invitation, OperatorInvitationAdmin)
