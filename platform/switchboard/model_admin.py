"""What every page of the admin shares: who may see it, that its writes go through `domain`, and how a refusal shows."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.forms import BaseForm, ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.admin import ModelAdmin

from switchboard.kernel.problems import Problem


class DomainModelAdmin(ModelAdmin):  # type: ignore[misc]
    """A model's pages, open to whoever may sign in; a subclass says what can be done there.

    Writes go through `create`, `update` and `remove`, which call the app's `domain`. A `Problem` becomes a message on
    the page it came from, never an error page.
    """

    can_add = False
    can_change = False
    can_delete = False
    administrators_only = False
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

    def page(
        self, request: HttpRequest, template: str, *, title: str, status: int = 200, **context: Any
    ) -> TemplateResponse:
        """A page of our own in the admin's frame."""
        frame = {**self.admin_site.each_context(request), "title": title, "opts": self.opts}
        return TemplateResponse(request, template, {**frame, **context}, status=status)

    def _admits(self, request: HttpRequest) -> bool:
        user = request.user
        allowed = user.is_superuser or not self.administrators_only
        return bool(user.is_active and getattr(user, "is_staff", False) and allowed)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._admits(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._admits(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.can_add and self._admits(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.can_change and self._admits(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.can_delete and self._admits(request)

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
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        if not self.has_view_permission(request, row):
            raise PermissionDenied
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
