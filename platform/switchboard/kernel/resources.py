"""What the control plane's view sets share: rows found or refused, shown with an ETag, changed only as seen."""

from __future__ import annotations

import uuid
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.urls import reverse
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from switchboard.kernel.preconditions import check_if_match, etag_of
from switchboard.kernel.problems import NotFound

M = TypeVar("M", bound=Model)


class Resource(GenericViewSet[M]):
    """A view set over rows with a UUID. `what` is the word for one of them in a refusal."""

    lookup_value_converter = "uuid"
    what = "resource"

    def found(self, pk: uuid.UUID, *, lock: bool = False) -> M:
        """The row with this id.

        Args:
            lock: keep others from changing it until the transaction ends.

        Raises:
            NotFound: the tenant has none.
        """
        rows = self.get_queryset()
        if lock:
            rows = rows.select_for_update(of=("self",), no_key=True)
        row = rows.filter(pk=pk).first()
        if row is None:
            raise NotFound(self.what)
        return row

    def found_as_seen(self, request: Request, pk: uuid.UUID) -> M:
        """The row, locked, if it is what the client's If-Match says. For use in a transaction.

        Raises:
            NotFound: the tenant has none.
            Problem: 412 `stale`.
        """
        row = self.found(pk, lock=True)
        check_if_match(request, etag_of(self.get_serializer(row).data))
        return row

    def listed(self, rows: QuerySet[M]) -> Response:
        """A page of these rows."""
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def shown(self, row: M, *, status: int = status.HTTP_200_OK) -> Response:
        """A row as it is now, with its ETag."""
        data = self.get_serializer(row).data
        return Response(data, status=status, headers={"ETag": etag_of(data)})

    def created(self, row: M, *, status: int = status.HTTP_201_CREATED, basename: str = "") -> Response:
        """A new row, with its address: among the rows of this view set, unless another's `basename` is given."""
        response = self.shown(row, status=status)
        response["Location"] = reverse(f"{basename or self.basename}-detail", args=[row.pk])
        return response


def checked(fields: type[Any], request: Request, *, partial: bool = False) -> dict[str, Any]:
    """The body's fields, checked by a serializer. Raises DRF's ValidationError."""
    serializer = fields(data=request.data, partial=partial)
    serializer.is_valid(raise_exception=True)
    validated: dict[str, Any] = serializer.validated_data
    return validated


def asked(fields: type[Any], request: Request) -> dict[str, Any]:
    """The query string's filters, checked by a serializer. Raises DRF's ValidationError."""
    serializer = fields(data=request.query_params.dict())
    serializer.is_valid(raise_exception=True)
    validated: dict[str, Any] = serializer.validated_data
    return validated
