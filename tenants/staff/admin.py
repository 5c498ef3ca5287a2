"""People: a tenant's team on its own site, the operators on the platform's. The schema in force says which."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from switchboard.admin import operator_site, staff_site
from switchboard.model_admin import DomainModelAdmin
from tenants.staff.models import User


class MemberForm(UserChangeForm):  # type: ignore[misc]
    """A member as an administrator changes one; nobody locks themselves, or everybody, out."""

    class Meta:
        model = User
        fields = ("username", "password", "first_name", "last_name", "email", "is_active", "is_superuser")

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        before = User.objects.filter(pk=self.instance.pk).first()
        ends = before is not None and before.is_superuser and before.is_active
        stays = values.get("is_active", True) and values.get("is_superuser", True)
        if ends and not stays and not other_administrators(self.instance).exists():
            raise forms.ValidationError("This is the last administrator. Make another one first.")
        return values


def other_administrators(user: Any) -> QuerySet[User]:
    """Who could still sign in and put things right without this user."""
    return User.objects.filter(is_superuser=True, is_active=True, is_staff=True).exclude(pk=user.pk)


class MemberAdmin(DomainModelAdmin, UserAdmin):  # type: ignore[type-arg]
    """Members sign in and work; administrators also see the team and the API keys.

    Nobody is deleted: what they made names them. Who leaves is made inactive.
    """

    can_add = can_change = True
    administrators_only = True
    form = MemberForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "full_name", "email", "role", "is_active", "last_login")
    list_filter = ("is_superuser", "is_active")
    search_fields = ("username", "first_name", "last_name", "email")
    ordering = ("username",)
    filter_horizontal = ()
    readonly_fields = ("last_login",)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email", "last_login")}),
        ("May", {"fields": ("is_active", "is_superuser")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "password1", "password2")}),)

    @admin.display(description="Name", ordering="last_name")
    def full_name(self, row: User) -> str:
        return row.get_full_name() or "-"

    @admin.display(description="Role", ordering="is_superuser")
    def role(self, row: User) -> str:
        return "Administrator" if row.is_superuser else "Member"

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name == "is_superuser":
            field.label, field.help_text = "Administrator", "Also sees the team and the API keys."
        if field is not None and db_field.name == "is_active":
            field.help_text = "May sign in. Nobody is deleted; who leaves is made inactive."
        return field

    # Django's own forms write this one model of Django's own; its passwords are theirs to hash.
    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.is_staff = True
        obj.save()


class OperatorAdmin(MemberAdmin):
    """On the platform's own site everybody is an operator."""

    administrators_only = False


staff_site.register(User, MemberAdmin)
operator_site.register(User, OperatorAdmin)
