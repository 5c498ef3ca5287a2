"""The audit trail of the company over REST. Nothing here writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response

from switchboard.kernel.problems import NotFound
from switchboard.kernel.resources import Resource, asked
from tenants.audit.api.serializers import AuditEventSerializer, AuditFilters, ExportFilters
from tenants.audit.export import export_response
from tenants.audit.models import AuditEvent
from tenants.audit.queries import find_events
from tenants.permissions import Permission


class _AnyType(DefaultContentNegotiation):
    """An export has the type that was asked for in the query; refusals are problem+json."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


@extend_schema(tags=["Audit"])
class AuditEventViewSet(mixins.ListModelMixin, Resource[AuditEvent]):
    """Every change of what the company configured: by whom, from where, what it was and what it became."""

    permissions: ClassVar[Mapping[str, Permission]] = {
        "list": Permission.AUDIT_READ,
        "retrieve": Permission.AUDIT_READ,
        "export": Permission.AUDIT_READ,
    }
    serializer_class = AuditEventSerializer
    queryset = AuditEvent.objects.all()
    lookup_value_converter = "int"
    what = "event"

    @extend_schema(summary="List audit events", parameters=[AuditFilters])
    def list(self, request: Request) -> Response:
        """Newest first."""
        return self.listed(find_events(**asked(AuditFilters, request)))

    @extend_schema(summary="Retrieve an audit event")
    def retrieve(self, request: Request, pk: int) -> Response:
        """One event, by its position."""
        event = find_events().filter(pk=pk).first()
        if event is None:
            raise NotFound(self.what)
        return self.shown(event)

    @extend_schema(
        summary="Export audit events",
        parameters=[ExportFilters],
        responses={
            (200, "application/x-ndjson"): OpenApiResponse(OpenApiTypes.STR, description="One event a line."),
            (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, description="With a line of names first."),
        },
    )
    @action(detail=False, methods=["get"], content_negotiation_class=_AnyType)
    def export(self, request: Request) -> StreamingHttpResponse:
        """All events that fit, oldest first, as a stream: their number has no limit.

        In CSV a cell that a spreadsheet would take for a formula has an apostrophe before it.
        """
        filters = asked(ExportFilters, request)
        as_format = filters.pop("format")
        return export_response(find_events(**filters), as_format=as_format)
