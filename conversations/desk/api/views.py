"""Leads, reservations and calendars over REST. Agents make the first two; staff's programs see to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.request import Request
from rest_framework.response import Response

from conversations.desk.api.serializers import (
    CalendarChanges,
    CalendarFields,
    CalendarSerializer,
    LeadChanges,
    LeadFilters,
    LeadSerializer,
    ReservationChanges,
    ReservationFilters,
    ReservationSerializer,
)
from conversations.desk.domain.calendars import change_calendar, create_calendar, delete_calendar
from conversations.desk.domain.leads import change_lead
from conversations.desk.domain.reservations import change_reservation
from conversations.desk.models import Lead, Reservation, ReservationCalendar
from switchboard.kernel.idempotency import idempotent
from switchboard.kernel.resources import asked, checked
from tenants.api.resources import Resource
from tenants.permissions import Permission


@extend_schema(tags=["Leads"])
class LeadViewSet(mixins.ListModelMixin, Resource[Lead]):
    """Who wants to hear from the company, as agents took them down."""

    permissions: ClassVar[Mapping[str, Permission]] = {
        "list": Permission.CONVERSATIONS_READ,
        "retrieve": Permission.CONVERSATIONS_READ,
        "partial_update": Permission.CONVERSATIONS_WRITE,
    }
    serializer_class = LeadSerializer
    queryset = Lead.objects.all()
    what = "lead"

    @extend_schema(summary="List leads", parameters=[LeadFilters])
    def list(self, request: Request) -> Response:
        """Newest first; those in one state, if asked."""
        return self.listed(self.get_queryset().filter(**asked(LeadFilters, request)))

    @extend_schema(summary="Retrieve a lead")
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One lead."""
        return self.shown(self.found(pk))

    @extend_schema(summary="Change a lead's status", request=LeadChanges, responses=LeadSerializer)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """How far it has come."""
        with transaction.atomic():
            row = self.found_as_seen(request, pk)
            if changes := checked(LeadChanges, request, partial=True):
                change_lead(lead=row, **changes)
        return self.shown(self.found(pk))


@extend_schema(tags=["Reservations"])
class ReservationViewSet(mixins.ListModelMixin, Resource[Reservation]):
    """Room that agents have kept for somebody."""

    permissions: ClassVar[Mapping[str, Permission]] = {
        "list": Permission.CONVERSATIONS_READ,
        "retrieve": Permission.CONVERSATIONS_READ,
        "partial_update": Permission.CONVERSATIONS_WRITE,
    }
    serializer_class = ReservationSerializer
    queryset = Reservation.objects.select_related("calendar")
    what = "reservation"

    @extend_schema(summary="List reservations", parameters=[ReservationFilters])
    def list(self, request: Request) -> Response:
        """Newest first; of one calendar, in one state, or in a span of time, if asked."""
        names = {"calendar": "calendar__slug", "starts_after": "starts_at__gte", "starts_before": "starts_at__lt"}
        wanted = {names.get(name, name): value for name, value in asked(ReservationFilters, request).items()}
        return self.listed(self.get_queryset().filter(**wanted))

    @extend_schema(summary="Retrieve a reservation")
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One reservation."""
        return self.shown(self.found(pk))

    @extend_schema(summary="Change a reservation's status", request=ReservationChanges, responses=ReservationSerializer)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Cancel it, or note who came and who didn't. One that was cancelled stands again only if there is room."""
        with transaction.atomic():
            row = self.found_as_seen(request, pk)
            if changes := checked(ReservationChanges, request, partial=True):
                change_reservation(reservation=row, **changes)
        return self.shown(self.found(pk))


@extend_schema(tags=["Reservations"])
class CalendarViewSet(mixins.ListModelMixin, Resource[ReservationCalendar]):
    """When something can be reserved, and for how many at a time."""

    permissions: ClassVar[Mapping[str, Permission]] = {
        "list": Permission.AGENTS_READ,
        "retrieve": Permission.AGENTS_READ,
        "create": Permission.AGENTS_WRITE,
        "partial_update": Permission.AGENTS_WRITE,
        "destroy": Permission.AGENTS_WRITE,
    }
    serializer_class = CalendarSerializer
    queryset = ReservationCalendar.objects.all()
    what = "reservation calendar"

    @extend_schema(summary="List reservation calendars")
    def list(self, request: Request) -> Response:
        """Newest first."""
        return super().list(request)

    @extend_schema(summary="Create a reservation calendar", request=CalendarFields, responses={201: CalendarSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Agents with the reservation tools can reserve in it at once."""
        return self.created(create_calendar(**checked(CalendarFields, request)))

    @extend_schema(summary="Retrieve a reservation calendar")
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One calendar."""
        return self.shown(self.found(pk))

    @extend_schema(summary="Change a reservation calendar", request=CalendarChanges, responses=CalendarSerializer)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """For reservations from now on; those that are made stay."""
        with transaction.atomic():
            row = self.found_as_seen(request, pk)
            change_calendar(calendar=row, **checked(CalendarChanges, request, partial=True))
        return self.shown(self.found(pk))

    @extend_schema(summary="Delete a reservation calendar", responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Only one in which nothing was ever reserved (409 `calendar_in_use`)."""
        delete_calendar(calendar=self.found(pk))
        return Response(status=status.HTTP_204_NO_CONTENT)
