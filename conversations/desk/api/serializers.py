"""Leads, reservations and calendars as the REST API shows and takes them."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from agents.models.component import valid_slug
from conversations.desk.models import Lead, Reservation, ReservationCalendar


class LeadSerializer(serializers.ModelSerializer[Lead]):
    """Who wants to hear from the company."""

    class Meta:
        model = Lead
        fields: ClassVar = [
            "id", "name", "email", "phone", "interest", "status", "contact", "conversation_id", "created_at",
            "updated_at",
        ]  # fmt: skip
        read_only_fields: ClassVar = fields


class LeadChanges(serializers.Serializer[dict[str, Any]]):
    """How far it has come."""

    status = serializers.ChoiceField(choices=Lead.Status.choices)


class LeadFilters(serializers.Serializer[dict[str, Any]]):
    """Which leads."""

    status = serializers.ChoiceField(choices=Lead.Status.choices, required=False)


class ReservationSerializer(serializers.ModelSerializer[Reservation]):
    """Room that is kept for somebody."""

    calendar = serializers.SlugRelatedField[ReservationCalendar](slug_field="slug", read_only=True)

    class Meta:
        model = Reservation
        fields: ClassVar = [
            "id", "reference", "calendar", "starts_at", "ends_at", "party_size", "name", "email", "phone", "notes",
            "status", "contact", "conversation_id", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields: ClassVar = fields


class ReservationChanges(serializers.Serializer[dict[str, Any]]):
    """What became of it."""

    status = serializers.ChoiceField(choices=Reservation.Status.choices)


class ReservationFilters(serializers.Serializer[dict[str, Any]]):
    """Which reservations."""

    status = serializers.ChoiceField(choices=Reservation.Status.choices, required=False)
    calendar = serializers.CharField(max_length=60, required=False, validators=[valid_slug])
    starts_after = serializers.DateTimeField(required=False)
    starts_before = serializers.DateTimeField(required=False)


class CalendarSerializer(serializers.ModelSerializer[ReservationCalendar]):
    """When something can be reserved."""

    class Meta:
        model = ReservationCalendar
        fields: ClassVar = [
            "id", "name", "slug", "time_zone", "opening_times", "capacity", "largest_party", "slot_minutes",
            "duration_minutes", "days_ahead", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields: ClassVar = fields


class CalendarChanges(serializers.Serializer[dict[str, Any]]):
    """What may be changed of a calendar."""

    name = serializers.CharField(max_length=120, required=False)
    time_zone = serializers.CharField(max_length=60, required=False)
    opening_times = serializers.DictField(
        child=serializers.ListField(child=serializers.ListField(child=serializers.CharField(max_length=5))),
        required=False,
        help_text='By weekday, mon to sun: `{"fri": [["18:00", "22:00"]]}`. A day that is left out is closed.',
    )
    capacity = serializers.IntegerField(min_value=1, max_value=10_000, required=False, help_text="People at a time.")
    largest_party = serializers.IntegerField(min_value=1, max_value=10_000, required=False)
    slot_minutes = serializers.IntegerField(min_value=5, max_value=1440, required=False)
    duration_minutes = serializers.IntegerField(min_value=5, max_value=1440, required=False)
    days_ahead = serializers.IntegerField(min_value=1, max_value=730, required=False)


class CalendarFields(CalendarChanges):
    """A new one."""

    name = serializers.CharField(max_length=120)
    slug = serializers.CharField(max_length=60, validators=[valid_slug], help_text="Tools name it by this; it stays.")
    capacity = serializers.IntegerField(min_value=1, max_value=10_000, help_text="People at a time.")
