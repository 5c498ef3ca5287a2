"""Calendars of what can be reserved: made, changed, deleted; and when they have room."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from collections.abc import Iterator
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from agents.models.component import valid_slug
from conversations.desk.models import Reservation, ReservationCalendar
from switchboard.kernel.problems import Conflict, Invalid
from tenants.actor import doing

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME: Final = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00")
_NUMBERS: Final = {
    "capacity": 10_000,
    "largest_party": 10_000,
    "slot_minutes": 1440,
    "duration_minutes": 1440,
    "days_ahead": 730,
}


def create_calendar(**fields: Any) -> ReservationCalendar:
    """A new calendar; its fields are the model's.

    Raises:
        Invalid: `invalid_name`; `invalid_opening_times`; `invalid_time_zone`; `invalid_number`.
        Conflict: `calendar_exists`.
    """
    row = ReservationCalendar(**fields)
    return _kept(row, "reservation_calendar.created", is_new=True)


def change_calendar(*, calendar: ReservationCalendar, **changes: Any) -> ReservationCalendar:
    """Change a calendar; reservations that are made stay. Raises like `create_calendar`."""
    for name, value in changes.items():
        setattr(calendar, name, value)
    return _kept(calendar, "reservation_calendar.changed", is_new=False)


def delete_calendar(*, calendar: ReservationCalendar) -> None:
    """Delete a calendar.

    Raises:
        Conflict: `calendar_in_use`, where something was ever reserved in it.
    """
    try:
        with transaction.atomic(), doing("reservation_calendar.deleted"):
            calendar.delete()
    except ProtectedError:
        raise Conflict("calendar_in_use", "There are reservations in this calendar.") from None


def calendar_named(slug: str, *, lock: bool = False) -> ReservationCalendar:
    """The calendar with this slug; without one, the only calendar there is.

    Args:
        lock: keep others from reserving in it until the transaction ends.

    Raises:
        Conflict: `reservations_not_set_up`; `calendar_unclear`, where there are several.
        Invalid: `unknown_calendar`.
    """
    rows = ReservationCalendar.objects.order_by("id")
    if lock:
        rows = rows.select_for_update(no_key=True)
    if slug:
        found = list(rows.filter(slug=slug))
        if not found:
            raise Invalid("unknown_calendar", "Nothing of that name can be reserved.", field="calendar")
        return found[0]
    found = list(rows[:2])
    if not found:
        raise Conflict("reservations_not_set_up", "No reservations are taken here.")
    if len(found) > 1:
        known = ", ".join(ReservationCalendar.objects.order_by("slug").values_list("slug", flat=True)[:20])
        raise Conflict("calendar_unclear", f"Say what to reserve: {known}.")
    return found[0]


def slots_of(calendar: ReservationCalendar, day: dt.date) -> list[dt.datetime]:
    """The times of a day at which a reservation can begin, so that it ends before closing."""
    zone = zoneinfo.ZoneInfo(calendar.time_zone)
    found: list[dt.datetime] = []
    for opens, closes in calendar.opening_times.get(DAYS[day.weekday()], ()):
        minute, end = _minutes(opens), _minutes(closes) - calendar.duration_minutes
        while minute <= end:
            local = dt.datetime.combine(day, dt.time(minute // 60, minute % 60), tzinfo=zone)
            # An hour that the clocks skip is none.
            if local.astimezone(dt.UTC).astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
                found.append(local)
            minute += calendar.slot_minutes
    return sorted(set(found))


def free_slots(calendar: ReservationCalendar, day: dt.date, *, party_size: int) -> list[dt.datetime]:
    """The times of a day at which there is room for so many. One query."""
    slots = slots_of(calendar, day)
    if not slots:
        return []
    length = dt.timedelta(minutes=calendar.duration_minutes)
    taken = list(
        Reservation.objects.filter(
            calendar=calendar,
            status__in=Reservation.STANDING,
            starts_at__lt=slots[-1] + length,
            ends_at__gt=slots[0],
        ).values_list("starts_at", "ends_at", "party_size")
    )
    now = timezone.now()
    return [
        slot
        for slot in slots
        if slot > now and _most_at_once(taken, slot, slot + length) + party_size <= calendar.capacity
    ]


def _most_at_once(taken: list[tuple[dt.datetime, dt.datetime, int]], start: dt.datetime, end: dt.datetime) -> int:
    """The most people there are at any moment of a stay. Their number grows only where somebody comes."""
    within = [(begins, ends, size) for begins, ends, size in taken if begins < end and ends > start]
    moments = [start, *[begins for begins, _, _ in within if begins > start]]
    return max(sum(size for begins, ends, size in within if begins <= moment < ends) for moment in moments)


def _kept(row: ReservationCalendar, deed: str, *, is_new: bool) -> ReservationCalendar:
    _check(row)
    try:
        with transaction.atomic(), doing(deed):
            row.save(force_insert=is_new)
    except IntegrityError:
        raise Conflict("calendar_exists", f"There is a calendar {row.slug} already.") from None
    return row


def _check(row: ReservationCalendar) -> None:
    try:
        valid_slug(row.slug)
    except ValidationError as error:
        raise Invalid("invalid_name", error.messages[0], field="slug") from None
    try:
        zoneinfo.ZoneInfo(row.time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid("invalid_time_zone", "Name a time zone such as Europe/London.", field="time_zone") from None
    for name, most in _NUMBERS.items():
        value = getattr(row, name)
        least = 5 if name in {"slot_minutes", "duration_minutes"} else 1
        if not least <= value <= most:
            raise Invalid("invalid_number", f"From {least} to {most}.", field=name)
    for message in _opening_faults(row.opening_times):
        raise Invalid("invalid_opening_times", message, field="opening_times")


def _opening_faults(times: Any) -> Iterator[str]:
    if not isinstance(times, dict) or set(times) - set(DAYS):
        yield f"Give times by weekday: {', '.join(DAYS)}."
        return
    for day, spans in times.items():
        if not isinstance(spans, list) or len(spans) > 10:
            yield f'{day}: a list of at most ten spans such as [["12:00", "14:30"]].'
            return
        for span in spans:
            whole = isinstance(span, list) and len(span) == 2 and all(isinstance(one, str) for one in span)
            if not whole or not all(_TIME.fullmatch(one) for one in span) or span[0] >= span[1]:
                yield f'{day}: each span is two times, such as ["18:00", "22:00"], the first the earlier.'
                return


def _minutes(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])
