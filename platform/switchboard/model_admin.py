"""What every page of the admin shares: who may see it, that its writes go through `domain`, and how a refusal shows."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from django.contrib import messages
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.forms import BaseForm, ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.admin import ModelAdmin

from switchboard.kernel.problems import Problem
from tenants.audit.pages import page_of
from tenants.audit.queries import history_of
from tenants.permissions import Permission, allows

M = TypeVar("M", bound=Model)


class DomainModelAdmin(ModelAdmin):  # type: ignore[misc]
    """A model's pages; a subclass says which permissions they ask for, and what can be done there at all.

    `view_permission` and `change_permission` are asked for reading and for all that writes; adding, deleting and
    publishing may ask for another one. Nothing that a page shows or does goes round `row` and `require`.

    Writes go through `create`, `update` and `remove`, which call the app's `domain`. A `Problem` becomes a message on
    the page it came from, never an error page.
    """

    can_add = False
    can_change = False
    can_delete = False
    view_permission: ClassVar[Permission | None] = None
    change_permission: ClassVar[Permission | None] = None
    add_permission: ClassVar[Permission | None] = None
    delete_permission: ClassVar[Permission | None] = None
    publish_permission: ClassVar[Permission | None] = None
    palette_fields: ClassVar[tuple[str, ...]] = ()  # what the search for everything looks at; none: nothing
    palette_icon: ClassVar[str] = "tag"
    list_filter_submit = True
    list_fullwidth = True
    warn_unsaved_form = True

    def create(self, request: HttpRequest, values: dict[str, Any]) -> Model:
        """Make a row from a valid form's values. What a subclass doesn't offer is refused, here and below."""
        raise PermissionDenied

    def update(self, request: HttpRequest, row: Model, values: dict[str, Any]) -> None:
        """Change a row."""
        raise PermissionDenied

    def remove(self, request: HttpRequest, row: Model) -> None:
        """Delete a row."""
        raise PermissionDenied

    def palette_rows(self, term: str, most: int) -> list[tuple[Model, str]]:
        """Rows that the search for everything finds, each with what it says of them. One query.

        Args:
            term: what somebody typed.
        """
        if not self.palette_fields:
            return []
        found = Q(*((f"{name}__icontains", term) for name in self.palette_fields), _connector=Q.OR)
        rows = self.palette_queryset().filter(found)[:most]
        return [(row, str(self.opts.verbose_name)) for row in rows]

    def palette_queryset(self) -> QuerySet[Any]:
        """What the search for everything looks through; the order is what comes first."""
        rows: QuerySet[Any] = self.model._default_manager.all()
        return rows

    def page(
        self, request: HttpRequest, template: str, *, title: str, status: int = 200, **context: Any
    ) -> TemplateResponse:
        """A page of our own in the admin's frame; one about a row (`original`) leads to its history."""
        frame = {**self.admin_site.each_context(request), "title": title, "opts": self.opts}
        row = context.get("original")
        if isinstance(row, Model) and allows(request.user, Permission.AUDIT_READ):
            name = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_history"
            frame["history_url"] = reverse(name, args=[row.pk])
        return TemplateResponse(request, template, {**frame, **context}, status=status)

    def __init__(self, model: Any, admin_site: Any) -> None:
        super().__init__(model, admin_site)
        if self.view_permission is None:
            raise ImproperlyConfigured(f"{type(self).__name__} doesn't say its view_permission.")

    def require(self, request: HttpRequest, permission: Permission | None, *, on: Model | None = None) -> None:
        """Ask for a permission in a view of our own.

        Raises:
            PermissionDenied: whoever asks doesn't have it, or nobody does (None).
        """
        if permission is None or not allows(request.user, permission, on=on):
            raise PermissionDenied

    def row(self, request: HttpRequest, permission: Permission | None, rows: QuerySet[M], **lookup: Any) -> M:
        """The row that a view of our own is about. Who may nothing isn't told whether it exists.

        Raises:
            PermissionDenied: whoever asks doesn't have the permission on it.
            Http404: it isn't there.
        """
        row = rows.filter(**lookup).first()
        self.require(request, permission, on=row)
        if row is None:
            raise Http404
        return row

    def _allows(self, request: HttpRequest, permission: Permission | None, on: Model | None) -> bool:
        return permission is not None and allows(request.user, permission, on=on)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._allows(request, self.view_permission, None)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._allows(request, self.view_permission, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.can_add and self._allows(request, self.add_permission or self.change_permission, None)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.can_change and self.has_write_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.can_delete and self._allows(request, self.delete_permission or self.change_permission, obj)

    def has_write_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """For buttons and bulk actions (`permissions=["write"]`) of models that have no form of Django's."""
        return self._allows(request, self.change_permission, obj)

    def has_publish_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """As `has_write_permission`, for what people are then served by."""
        return self._allows(request, self.publish_permission, obj)

    def save_model(self, request: HttpRequest, obj: Model, form: ModelForm[Any], change: bool) -> None:
        if change:
            self.update(request, obj, form.cleaned_data)
        else:
            obj.pk = self.create(request, form.cleaned_data).pk
            obj._state.adding = False

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        self.remove(request, obj)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        # Django leads whoever may not change rows to the home page, away from the list they came from.
        response: HttpResponse = super().response_delete(request, obj_display, obj_id)
        if isinstance(response, HttpResponseRedirect):
            name = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_changelist"
            return HttpResponseRedirect(reverse(name))
        return response

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            self.remove(request, row)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        # Django's own walks every related row, passages with their vectors included.
        rows = list(objs)
        return [str(row) for row in rows], {str(self.opts.verbose_name_plural): len(rows)}, set(), []

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)  # type: ignore[no-any-return]
        except Problem as problem:
            return refused(request, problem)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changelist_view(request, *args, **kwargs)  # type: ignore[no-any-return]
        except Problem as problem:
            return refused(request, problem)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What the audit trail says of a row, in the place of Django's own notes, which know only of its forms."""
        row = self.get_object(request, object_id)
        self.require(request, self.view_permission, on=row)
        self.require(request, Permission.AUDIT_READ)
        if row is None:
            raise Http404
        found = page_of(history_of(row.pk), before=request.GET.get("before", ""))
        title = f"History of {row}"
        return self.page(request, "admin/audit/history.html", title=title, original=row, found=found, history_url="")

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().delete_view(request, *args, **kwargs)  # type: ignore[no-any-return]
        except Problem as problem:
            return refused(request, problem)


class RowPageAdmin(DomainModelAdmin):
    """A model whose rows have a page of our own in the place of Django's form."""

    def row_page(self, request: HttpRequest, row: Any) -> HttpResponse:
        """The page of one row."""
        raise Http404

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        return self.row_page(request, row)


def refused(request: HttpRequest, problem: Problem, *, to: str = "") -> HttpResponse:
    """Back to the page, with the problem's sentence on it."""
    messages.error(request, problem.detail)
    return HttpResponseRedirect(to or request.get_full_path())


def show_in_form(form: BaseForm, problem: Problem) -> None:
    """A problem as errors of a form: at the field it names, where the form has that."""
    named = [(error.get("field", ""), error["message"]) for error in problem.errors] or [("", problem.detail)]
    for field, message in named:
        form.add_error(field if field in form.fields else None, message)
