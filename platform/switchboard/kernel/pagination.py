"""Cursor pagination: a page costs the same however deep it is, and rows that arrive meanwhile shift nothing."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.request import Request


class NewestFirst(CursorPagination):
    """In the order that the rows come in, else by id, which sorts by time (`kernel.ids.uuid7`)."""

    ordering = "-id"
    page_size = 50
    max_page_size = 200
    page_size_query_param = "limit"
    _rows: QuerySet[Any]

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: Any) -> tuple[str, ...]:
        self._rows = queryset
        return tuple(str(field) for field in queryset.query.order_by) or ("-id",)

    def decode_cursor(self, request: Request) -> Cursor | None:
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None:
            # A cursor comes from outside: its position must be something that the column can be compared with.
            column = self._rows.model._meta.get_field(self.ordering[0].lstrip("-"))
            try:
                if "\x00" in str(cursor.position):
                    raise ValueError
                column.to_python(cursor.position)
            except (ValidationError, ValueError, TypeError):
                raise NotFound(self.invalid_cursor_message) from None
        return cursor
