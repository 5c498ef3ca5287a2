"""The Python tools that every tenant's agents can be given: leads, reservations, a call for a person."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import Any, Final

from agents.tools.registry import PythonCall, register_tool
from conversations.desk.domain.leads import capture_lead
from conversations.desk.domain.reservations import Room, cancel_reservation, check_room, create_reservation
from conversations.desk.models import Reservation
from conversations.domain.handoff import request_handoff
from switchboard.kernel.database import in_database
from switchboard.kernel.problems import Invalid


def _text(description: str, most: int) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": most, "description": description}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


_DATE: Final = {"type": "string", "format": "date", "description": "The day, YYYY-MM-DD."}
_TIME: Final = {
    "type": "string",
    "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$",
    "description": "When it begins, HH:MM on the 24-hour clock.",
}
_PARTY: Final = {"type": "integer", "minimum": 1, "maximum": 1000, "description": "For how many people."}
_CALENDAR: Final = _text("What is reserved, where there are several calendars: the slug of one.", 60)
_EMAIL: Final = {"type": "string", "format": "email", "maxLength": 254, "description": "Their e-mail address."}
_PHONE: Final = _text("Their phone number.", 40)


@register_tool(
    "lead.capture",
    description="Take down who wants to be contacted by the company: their name, how to reach them, and what for.",
    input_schema={
        **_object(
            ["name"],
            name=_text("Their name.", 120),
            email=_EMAIL,
            phone=_PHONE,
            interest=_text("What they are interested in, in one sentence.", 1000),
        ),
        "anyOf": [{"required": ["email"]}, {"required": ["phone"]}],
    },
    writes=True,
)
async def lead_capture(arguments: dict[str, Any], call: PythonCall) -> Any:
    """Somebody wants to hear from the company."""

    def capture() -> dict[str, Any]:
        lead = capture_lead(**arguments, contact=call.context.contact, conversation_id=call.context.conversation_id)
        return {"lead": str(lead.pk), "name": lead.name, "email": lead.email, "phone": lead.phone}

    return await call.commit(capture)


@register_tool(
    "reservation.check",
    description="Look up at which times of a day there is room for a number of people. Changes nothing.",
    input_schema=_object(["date", "party_size"], date=_DATE, time=_TIME, party_size=_PARTY, calendar=_CALENDAR),
    writes=False,
)
async def reservation_check(arguments: dict[str, Any], call: PythonCall) -> Any:
    """When is there room?"""
    room: Room = await in_database(
        check_room,
        day=_day(arguments["date"]),
        time=_time(arguments["time"]) if "time" in arguments else None,
        party_size=arguments["party_size"],
        calendar=arguments.get("calendar", ""),
    )
    return {
        "available": room.is_free,
        "what": room.calendar.name,
        "date": arguments["date"],
        "party_size": arguments["party_size"],
        "times": [f"{slot:%H:%M}" for slot in room.times],
    }


@register_tool(
    "reservation.create",
    description="Reserve for a number of people at a day and time, in somebody's name. Check for room first.",
    input_schema=_object(
        ["date", "time", "party_size", "name"],
        date=_DATE,
        time=_TIME,
        party_size=_PARTY,
        name=_text("In whose name.", 120),
        phone=_PHONE,
        email=_EMAIL,
        notes=_text("What else matters, such as allergies.", 1000),
        calendar=_CALENDAR,
    ),
    writes=True,
)
async def reservation_create(arguments: dict[str, Any], call: PythonCall) -> Any:
    """Keep room for somebody."""
    wish = dict(arguments)
    day, time = _day(wish.pop("date")), _time(wish.pop("time"))

    def create() -> dict[str, Any]:
        return _told(
            create_reservation(
                day=day,
                time=time,
                contact=call.context.contact,
                conversation_id=call.context.conversation_id,
                **wish,
            )
        )

    return await call.commit(create)


@register_tool(
    "reservation.cancel",
    description="Cancel a reservation by its reference, for whoever made it.",
    input_schema=_object(
        ["reference"],
        reference=_text("The reference they were given.", 20),
        name=_text("The name it was made in; needed where it was made in another conversation.", 120),
    ),
    writes=True,
)
async def reservation_cancel(arguments: dict[str, Any], call: PythonCall) -> Any:
    """Give room back."""

    def cancel() -> dict[str, Any]:
        return _told(
            cancel_reservation(**arguments, contact=call.context.contact, conversation_id=call.context.conversation_id)
        )

    return await call.commit(cancel)


@register_tool(
    "handoff.request",
    description="Ask for a person to take over the conversation: when the contact wishes it, or you can't help.",
    input_schema=_object(["reason"], reason=_text("Why, in one sentence, for whoever takes over.", 300)),
    writes=True,
)
async def handoff_request(arguments: dict[str, Any], call: PythonCall) -> Any:
    """Somebody wants a person."""

    def ask() -> dict[str, Any]:
        request_handoff(conversation_id=call.context.conversation_id, reason=arguments["reason"])
        return {"requested": True}

    return await call.commit(ask)


def _told(row: Reservation) -> dict[str, Any]:
    local = row.starts_at.astimezone(zoneinfo.ZoneInfo(row.calendar.time_zone))
    return {
        "reference": row.reference,
        "status": row.status,
        "what": row.calendar.name,
        "date": f"{local:%Y-%m-%d}",
        "time": f"{local:%H:%M}",
        "party_size": row.party_size,
        "name": row.name,
    }


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise Invalid("invalid_date", "This is no day of the calendar; write YYYY-MM-DD.", field="date") from None


def _time(text: str) -> dt.time:
    return dt.time(int(text[:2]), int(text[3:]))
