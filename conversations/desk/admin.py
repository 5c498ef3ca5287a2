"""Leads, reservations and calendars in the staff's admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from conversations.desk.domain.calendars import change_calendar, create_calendar, delete_calendar
from conversations.desk.domain.leads import change_lead
from conversations.desk.domain.reservations import change_reservation
from conversations.desk.models import Lead, Reservation, ReservationCalendar
from switchboard.admin import staff_site
from switchboard.model_admin import DomainModelAdmin
from tenants.permissions import Permission


@admin.register(Lead, site=staff_site)
class LeadAdmin(DomainModelAdmin):
    can_change = True
    view_permission, change_permission = Permission.CONVERSATIONS_READ, Permission.CONVERSATIONS_WRITE
    list_display = ("name", "email", "phone", "interest", "status", "created_at")
    list_filter = ("status", "created_at")
    search_fields = ("name", "email", "phone", "interest")
    palette_fields, palette_icon = ("name", "email"), "person_add"
    fields = ("status", "name", "email", "phone", "interest", "contact", "conversation_id", "created_at")
    readonly_fields = ("name", "email", "phone", "interest", "contact", "conversation_id", "created_at")

    def update(self, request: HttpRequest, row: Any, values: dict[str, Any]) -> None:
        change_lead(lead=row, **values)


@admin.register(Reservation, site=staff_site)
class ReservationAdmin(DomainModelAdmin):
    can_change = True
    view_permission, change_permission = Permission.CONVERSATIONS_READ, Permission.CONVERSATIONS_WRITE
    list_display = ("reference", "name", "calendar", "starts_at", "party_size", "status")
    list_select_related = ("calendar",)
    list_filter = ("status", "calendar", "starts_at")
    search_fields = ("reference", "name", "email", "phone")
    palette_fields, palette_icon = ("reference", "name"), "event_seat"
    ordering = ("-starts_at",)
    _facts = (
        "reference", "calendar", "starts_at", "ends_at", "party_size", "name", "email", "phone", "notes", "contact",
        "conversation_id", "created_at",
    )  # fmt: skip
    fields = ("status", *_facts)
    readonly_fields = _facts

    def update(self, request: HttpRequest, row: Any, values: dict[str, Any]) -> None:
        change_reservation(reservation=row, **values)


@admin.register(ReservationCalendar, site=staff_site)
class ReservationCalendarAdmin(DomainModelAdmin):
    can_add = can_change = can_delete = True
    view_permission, change_permission = Permission.AGENTS_READ, Permission.AGENTS_WRITE
    list_display = ("name", "slug", "capacity", "largest_party", "slot_minutes", "duration_minutes")
    search_fields = ("name", "slug")
    fields = (
        "name", "slug", "time_zone", "opening_times", "capacity", "largest_party", "slot_minutes", "duration_minutes",
        "days_ahead",
    )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("slug",) if obj else ()

    def create(self, request: HttpRequest, values: dict[str, Any]) -> Model:
        return create_calendar(**values)

    def update(self, request: HttpRequest, row: Any, values: dict[str, Any]) -> None:
        change_calendar(calendar=row, **values)

    def remove(self, request: HttpRequest, row: Any) -> None:
        delete_calendar(calendar=row)
