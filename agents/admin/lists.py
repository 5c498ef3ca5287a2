"""The list of a registry: who uses what, what waits to be published, and what can be done to several at once."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from unfold.views import ChangeList

from agents.choices import tags_of, used_by
from agents.models import Component

_MOST_TAGS_OFFERED: Final = 60


class RegistryList(ChangeList):  # type: ignore[misc]
    """A page of entries, with what one query tells of all of them."""

    result_list: Any

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        # Nobody misses the deleted ones that the list leaves out unless they ask for them.
        self.full_result_count = self.result_count
        rows: list[Any] = list(self.result_list)
        uses = used_by(self.model, [row.pk for row in rows])
        for row in rows:
            row.used_by = uses.get(row.pk, 0)
        self.result_list = rows


class StateFilter(admin.SimpleListFilter):
    """Deleted entries show only to whoever asks for them."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("changed", "Unpublished changes"), ("new", "Never published"), ("deleted", "Deleted")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Component]) -> QuerySet[Component]:
        if self.value() == "deleted":
            return queryset.filter(deleted_at__isnull=False)
        rows = queryset.filter(deleted_at=None)
        if self.value() == "changed":
            return rows.exclude(draft_revision=F("published_revision"))
        return rows.filter(latest_version=0) if self.value() == "new" else rows


class TagFilter(admin.SimpleListFilter):
    title = "tag"
    parameter_name = "tag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(tag, tag) for tag in tags_of(model_admin.model)[:_MOST_TAGS_OFFERED]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Component]) -> QuerySet[Component]:
        return queryset.filter(tags__contains=[self.value()]) if self.value() else queryset
