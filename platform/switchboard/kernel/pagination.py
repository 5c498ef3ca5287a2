"""Cursor pagination: a page costs the same however deep it is, and rows that arrive meanwhile shift nothing."""

from __future__ import annotations

from rest_framework.pagination import CursorPagination


class NewestFirst(CursorPagination):
    """By id, which sorts by time (`kernel.ids.uuid7`)."""

    ordering = "-id"
    page_size = 50
    max_page_size = 200
    page_size_query_param = "limit"
