"""Reservations: room is kept, or given back. Of two who want the last, one gets it."""

from __future__ import annotations

import datetime as dt
import uuid
import zoneinfo
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from conversations.desk.domain.calendars import calendar_named, free_slots, slots_of
from conversations.desk.domain.leads import check_email, check_name, check_phone
from conversations.desk.models import Reservation, ReservationCalendar
from switchboard.kernel.problems import Conflict, Invalid
from switchboard.kernel.text import check_note
from tenants.actor import doing


@dataclass(frozen=True, slots=True)
class Room:
    """What is free on a day.

    Args:
        is_free: whether the time that was asked for is; without one, whether any is.
        times: all that are, in the calendar's time zone.
    """

    calendar: ReservationCalendar
    is_free: bool
    times: list[dt.datetime]


def check_room(*, day: dt.date, time: dt.time | None, party_size: int, calendar: str = "") -> Room:
    """When there is room for so many on a day.

    Raises:
        Invalid: `party_too_large`; `too_far_ahead`; `in_the_past`; `unknown_calendar`.
        Conflict: `reservations_not_set_up`; `calendar_unclear`.
    """
    found = calendar_named(calendar)
    _check_wish(found, day, party_size)
    free = free_slots(found, day, party_size=party_size)
    wanted = free if time is None else [slot for slot in free if slot.time() == time]
    return Room(calendar=found, is_free=bool(wanted), times=free)


def create_reservation(
    *,
    day: dt.date,
    time: dt.time,
    party_size: int,
    name: str,
    email: str = "",
    phone: str = "",
    notes: str = "",
    calendar: str = "",
    contact: str = "",
    conversation_id: uuid.UUID | None = None,
) -> Reservation:
    """Keep room for somebody. The same wish twice in one conversation is one reservation.

    Raises:
        Invalid: as `check_room`, and `invalid_name`, `invalid_email`, `invalid_phone`.
        Conflict: `reservation_closed`, at a time that is never given; `reservation_full`.
    """
    fields = {
        "name": check_name(name),
        "email": check_email(email),
        "phone": check_phone(phone),
        "notes": check_note(notes, field="notes", max_characters=1000),
    }
    with transaction.atomic(), doing("reservation.created"):
        # Whoever else reserves waits here, and then sees this one.
        found = calendar_named(calendar, lock=True)
        _check_wish(found, day, party_size)
        starts = next((slot for slot in slots_of(found, day) if slot.time() == time), None)
        if starts is None:
            given = ", ".join(f"{slot:%H:%M}" for slot in slots_of(found, day)) or "none on that day"
            raise Conflict("reservation_closed", f"Nothing can be reserved for {time:%H:%M}. Times: {given}.")
        earlier = _same_wish(found, starts, party_size, fields["name"], conversation_id)
        if earlier is not None:
            return earlier
        free = free_slots(found, day, party_size=party_size)
        if starts not in free:
            given = ", ".join(f"{slot:%H:%M}" for slot in free) or "none on that day"
            raise Conflict("reservation_full", f"There is no room at {time:%H:%M}. Free times: {given}.")
        return Reservation.objects.create(
            calendar=found,
            starts_at=starts,
            ends_at=starts + dt.timedelta(minutes=found.duration_minutes),
            party_size=party_size,
            contact=contact,
            conversation_id=conversation_id,
            **fields,
        )


def cancel_reservation(
    *, reference: str, name: str = "", contact: str = "", conversation_id: uuid.UUID | None = None
) -> Reservation:
    """Give room back, for whoever reserved it: in this conversation, as this contact, or who knows reference and name.

    Raises:
        Invalid: `unknown_reservation`; also where it is somebody else's, so that nobody learns of it.
        Conflict: `reservation_over`.
    """
    with transaction.atomic(), doing("reservation.cancelled"):
        row = Reservation.objects.select_for_update().filter(reference=reference.strip().upper()).first()
        if row is None or not _is_theirs(row, name, contact, conversation_id):
            raise Invalid("unknown_reservation", "There is no such reservation in that name.", field="reference")
        if row.status == Reservation.Status.CANCELLED:
            return row
        if row.status != Reservation.Status.CONFIRMED or row.starts_at <= timezone.now():
            raise Conflict("reservation_over", "That reservation is over already.")
        row.status = Reservation.Status.CANCELLED
        row.save(update_fields=["status", "updated_at"])
        return row


def change_reservation(*, reservation: Reservation, status: str) -> Reservation:
    """Note what became of a reservation.

    Raises:
        Conflict: `reservation_full`, where one that was cancelled would stand again and its place is taken.
    """
    wanted = Reservation.Status(status)
    with transaction.atomic(), doing("reservation.changed"):
        calendar = ReservationCalendar.objects.select_for_update(no_key=True).get(pk=reservation.calendar_id)
        row = Reservation.objects.select_for_update().get(pk=reservation.pk)
        if wanted in Reservation.STANDING and row.status not in Reservation.STANDING:
            local = row.starts_at.astimezone(zoneinfo.ZoneInfo(calendar.time_zone))
            is_free = row.starts_at in free_slots(calendar, local.date(), party_size=row.party_size)
            if row.starts_at > timezone.now() and not is_free:
                raise Conflict("reservation_full", "Its place has been given to somebody else.")
        row.status = wanted
        row.save(update_fields=["status", "updated_at"])
    return row


def _check_wish(calendar: ReservationCalendar, day: dt.date, party_size: int) -> None:
    today = timezone.now().astimezone(zoneinfo.ZoneInfo(calendar.time_zone)).date()
    if party_size < 1 or party_size > min(calendar.largest_party, calendar.capacity):
        most = min(calendar.largest_party, calendar.capacity)
        raise Invalid("party_too_large", f"From 1 to {most} people can be reserved for.", field="party_size")
    if day < today:
        raise Invalid("in_the_past", f"That day is over; today is {today}.", field="date")
    if day > today + dt.timedelta(days=calendar.days_ahead):
        raise Invalid("too_far_ahead", f"Reservations are taken {calendar.days_ahead} days ahead.", field="date")


def _same_wish(
    calendar: ReservationCalendar, starts: dt.datetime, party_size: int, name: str, conversation_id: uuid.UUID | None
) -> Reservation | None:
    if conversation_id is None:
        return None
    return Reservation.objects.filter(
        calendar=calendar,
        starts_at=starts,
        party_size=party_size,
        name__iexact=name,
        conversation_id=conversation_id,
        status=Reservation.Status.CONFIRMED,
    ).first()


def _is_theirs(row: Reservation, name: str, contact: str, conversation_id: uuid.UUID | None) -> bool:
    if conversation_id is not None and row.conversation_id == conversation_id:
        return True
    if contact and row.contact == contact:
        return True
    return bool(name.strip()) and row.name.casefold() == name.strip().casefold()
