"""Leads and reservations."""

from __future__ import annotations

import datetime as dt
from typing import Any

import factory
from django.utils import timezone

from conversations.desk.models import Lead, Reservation, ReservationCalendar


class LeadFactory(factory.django.DjangoModelFactory[Lead]):
    class Meta:
        model = Lead

    name = factory.Sequence(lambda n: f"Ada {n}")
    email = factory.Sequence(lambda n: f"ada{n}@example.com")
    interest = "A house by the river."


class CalendarFactory(factory.django.DjangoModelFactory[ReservationCalendar]):
    """A restaurant's, open every evening from 18:00 to 23:00, UTC."""

    class Meta:
        model = ReservationCalendar

    name = factory.Sequence(lambda n: f"A table {n}")
    slug = factory.Sequence(lambda n: f"table-{n}")
    capacity = 20
    opening_times: Any = factory.LazyFunction(
        lambda: {day: [["18:00", "23:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    )


class ReservationFactory(factory.django.DjangoModelFactory[Reservation]):
    class Meta:
        model = Reservation

    calendar = factory.SubFactory(CalendarFactory)
    starts_at = factory.LazyFunction(lambda: timezone.now() + dt.timedelta(days=2))
    ends_at = factory.LazyAttribute(lambda row: row.starts_at + dt.timedelta(minutes=90))
    party_size = 2
    name = factory.Sequence(lambda n: f"Ada {n}")
