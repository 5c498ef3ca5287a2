"""People: a tenant's team on its own site, the operators on the platform's. The schema in force says which."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from switchboard.admin import operator_site, staff_site
from switchboard.model_admin import DomainModelAdmin
from tenants.permissions import Permission
from tenants.staff.domain import members
from tenants.staff.models import User

_CHANGEABLE: Final = ("first_name", "last_name", "email", "role", "is_active")


class NewMemberForm(UserCreationForm):  # type: ignore[misc]
    class Meta:
        model = User
        fields = ("username", "role")


class MemberAdmin(DomainModelAdmin, UserAdmin):  # type: ignore[type-arg]
    """Who works here, and as what. Nobody is deleted: what they made names them. Who leaves is made inactive."""

    can_add = can_change = True
    view_permission, change_permission = Permission.MEMBERS_READ, Permission.MEMBERS_WRITE
    form = UserChangeForm
    add_form = NewMemberForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "full_name", "email", "role", "is_active", "last_login")
    list_filter = ("role", "is_active")
    search_fields = ("username", "first_name", "last_name", "email")
    ordering = ("username",)
    filter_horizontal = ()
    readonly_fields = ("last_login",)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email", "last_login")}),
        ("May", {"fields": ("role", "is_active")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "password1", "password2", "role")}),)

    @admin.display(description="Name", ordering="last_name")
    def full_name(self, row: User) -> str:
        return row.get_full_name() or "-"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("username", *self.readonly_fields) if obj else self.readonly_fields

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


class OperatorAdmin(MemberAdmin):
    """On the platform's own site everybody is an operator, and may what operators may."""

    list_display = ("username", "full_name", "email", "is_active", "last_login")  # type: ignore[assignment]
    list_filter = ("is_active",)  # type: ignore[assignment]
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email", "last_login")}),
        ("May", {"fields": ("is_active",)}),
    )


staff_site.register(User, MemberAdmin)
operator_site.register(User, OperatorAdmin)
