"""Reservations: room is kept, given back, and never given twice."""

import asyncio
import datetime as dt
import uuid

import pytest
from django.utils import timezone

from agents.tools.run import run_tool
from conversations.desk.domain.calendars import create_calendar, free_slots
from conversations.desk.domain.reservations import cancel_reservation, change_reservation, create_reservation
from conversations.desk.models import Reservation
from conversations.models import Conversation
from switchboard.kernel.database import in_database
from switchboard.kernel.problems import Conflict, Invalid
from tenants.permissions import Permission
from tests.agents.tools.calling import context_of, tool_of
from tests.at_once import at_once
from tests.conversations.desk.factories import CalendarFactory, ReservationFactory
from tests.factories import ConversationFactory
from tests.isolation import assert_problem
from tests.resource_contract import ResourceContract

SOON = timezone.now().date() + dt.timedelta(days=3)
EIGHT = dt.time(20)
WISH = {"day": SOON, "time": EIGHT, "party_size": 2, "name": "Ada Lovelace"}


class TestCalendars(ResourceContract):
    address = "/api/v1/reservation-calendars"
    factory = CalendarFactory
    reads, writes = Permission.AGENTS_READ, Permission.AGENTS_WRITE
    body = {"name": "A table", "slug": "table", "capacity": 20, "opening_times": {"fri": [["18:00", "22:00"]]}}
    change = {"capacity": 30, "opening_times": {"sun": [["12:00", "15:00"]]}}


class TestReservations(ResourceContract):
    address = "/api/v1/reservations"
    factory = ReservationFactory
    reads, writes = Permission.CONVERSATIONS_READ, Permission.CONVERSATIONS_WRITE
    change = {"status": "missed"}
    deletable = False


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"time_zone": "Mars/Base"}, "invalid_time_zone", "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "invalid_time_zone", "time_zone"),
        ({"opening_times": {"fri": [["22:00", "18:00"]]}}, "invalid_opening_times", "opening_times"),
        ({"opening_times": {"fri": [["8", "9"]]}}, "invalid_opening_times", "opening_times"),
        ({"opening_times": {"someday": []}}, "invalid_opening_times", "opening_times"),
        ({"slug": "No Slug"}, "invalid", "slug"),
        ({"capacity": 0}, "invalid", "capacity"),
    ],
)
def test_a_calendar_that_cant_be_is_refused(caller, fields, code, field):
    body = {"name": "A table", "slug": "table", "capacity": 20, **fields}
    assert_problem(caller.post("/api/v1/reservation-calendars", body), 422, code, field=field)


def test_room_is_kept_and_given_back(in_harbour):
    calendar = CalendarFactory(capacity=4)
    first = create_reservation(**WISH)
    assert (first.status, first.ends_at - first.starts_at) == ("confirmed", dt.timedelta(minutes=90))
    create_reservation(**{**WISH, "name": "Grace"})
    # Those who came at eight are still there at nine, and gone at half past.
    times = [f"{slot:%H:%M}" for slot in free_slots(calendar, SOON, party_size=1)]
    assert times == ["18:00", "18:30", "21:30"]
    with pytest.raises(Conflict, match="Free times: 18:00, 18:30, 21:30"):
        create_reservation(**{**WISH, "name": "Katherine"})
    cancel_reservation(reference=first.reference, name="ada lovelace")
    create_reservation(**{**WISH, "name": "Katherine"})
    with pytest.raises(Conflict):
        change_reservation(reservation=first, status="confirmed")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"party_size": 9}, "party_too_large"),
        ({"day": SOON - dt.timedelta(days=9)}, "in_the_past"),
        ({"day": SOON + dt.timedelta(days=400)}, "too_far_ahead"),
        ({"time": dt.time(20, 10)}, "reservation_closed"),
        ({"time": dt.time(3)}, "reservation_closed"),
        ({"calendar": "spa"}, "unknown_calendar"),
        ({"email": "no address"}, "invalid_email"),
        ({"phone": "call me"}, "invalid_phone"),
        ({"name": "  "}, "invalid_name"),
    ],
)
def test_what_cant_be_reserved_is_said_so(in_harbour, change, code):
    CalendarFactory(capacity=40)
    with pytest.raises((Conflict, Invalid)) as refused:
        create_reservation(**{**WISH, **change})
    assert refused.value.code == code
    assert not Reservation.objects.exists()


def test_without_a_calendar_nothing_is_promised(in_harbour):
    with pytest.raises(Conflict) as refused:
        create_reservation(**WISH)
    assert refused.value.code == "reservations_not_set_up"


def test_of_two_who_want_the_last_table_one_gets_it(live_tenants, in_harbour):
    CalendarFactory(capacity=2)

    def reserve(name):
        try:
            return create_reservation(**{**WISH, "name": name}).name
        except Conflict as full:
            return full.code

    came = at_once(reserve, ["Ada", "Grace", "Katherine", "Joan"])
    assert came.count("reservation_full") == 3
    assert Reservation.objects.count() == 1


def test_somebody_elses_reservation_is_not_cancelled(in_harbour):
    CalendarFactory()
    row = create_reservation(**WISH, contact="ada", conversation_id=uuid.uuid4())
    for stranger in [{}, {"contact": "eve"}, {"name": "Eve"}, {"conversation_id": uuid.uuid4()}]:
        with pytest.raises(Invalid) as refused:
            cancel_reservation(reference=row.reference, **stranger)
        assert refused.value.code == "unknown_reservation"
    assert cancel_reservation(reference=row.reference.lower(), contact="ada").status == "cancelled"
    assert cancel_reservation(reference=row.reference, contact="ada").status == "cancelled"


def test_clocks_that_change_lose_no_table(in_harbour):
    row = create_calendar(
        name="Night", slug="night", capacity=2, time_zone="Europe/Paris", opening_times={"sun": [["01:00", "05:00"]]}
    )
    from conversations.desk.domain.calendars import slots_of

    spring = [f"{slot:%H:%M}" for slot in slots_of(row, dt.date(2027, 3, 28))]
    assert spring == ["01:00", "01:30", "03:00", "03:30"]


def asked(tool, context, **arguments):
    return run_tool(tool=tool_of(handler=tool), arguments=arguments, context=context)


async def test_an_agent_checks_books_and_cancels(live_tenants, in_harbour):
    await in_database(CalendarFactory, name="A table", capacity=4)
    day = {"date": SOON.isoformat(), "party_size": 2}
    free = await asked("reservation.check", context_of(), **day, time="20:00")
    assert free.data["available"]
    assert "20:00" in free.data["times"]
    context = context_of(call_id="book")
    booked = await asked("reservation.create", context, **day, time="20:00", name="Ada")
    again = await asked("reservation.create", context, **day, time="20:00", name="Ada")
    assert booked.ok
    assert booked == again
    row = await in_database(Reservation.objects.select_related("calendar").get)
    assert (row.reference, row.contact, row.conversation_id) == (
        booked.data["reference"],
        "ada",
        context.conversation_id,
    )
    # The same wish confirmed in another turn of the conversation is no second table.
    other = context_of(conversation_id=context.conversation_id)
    assert (await asked("reservation.create", other, **day, time="20:00", name="ada")).data == booked.data
    full = await asked(
        "reservation.create", context_of(), date=SOON.isoformat(), party_size=3, time="20:00", name="Eve"
    )
    assert (full.ok, full.code) == (False, "reservation_full")
    gone = await asked("reservation.cancel", context_of(), reference=booked.data["reference"])
    assert gone.data["status"] == "cancelled"


@pytest.mark.parametrize(
    "wrong", [{"date": "31st of June"}, {"date": "2027-02-31"}, {"time": "25:00"}, {"party_size": 0}]
)
async def test_a_wish_that_makes_no_sense_is_told_by_field(live_tenants, in_harbour, wrong):
    wish = {"date": SOON.isoformat(), "party_size": 2, "time": "20:00", "name": "Ada", **wrong}
    result = await asked("reservation.create", context_of(), **wish)
    assert result.code in {"tool_arguments_invalid", "invalid_date"}
    assert result.data["errors"][0]["field"] == next(iter(wrong))


async def test_the_last_table_is_given_once_to_agents_too(live_tenants, in_harbour):
    await in_database(CalendarFactory, capacity=2)
    wish = {"date": SOON.isoformat(), "party_size": 2, "time": "20:00"}
    results = await asyncio.gather(
        *[asked("reservation.create", context_of(contact=name), **wish, name=name) for name in ("Ada", "Grace", "Joan")]
    )
    assert sorted(result.code for result in results) == ["", "reservation_full", "reservation_full"]
    assert await in_database(Reservation.objects.count) == 1


async def test_a_person_is_asked_for_and_the_staff_see_it(live_tenants, in_harbour, client_for):
    row = await in_database(ConversationFactory)
    context = context_of(conversation_id=row.pk)
    assert (await asked("handoff.request", context, reason="Wants to complain")).ok
    row = await in_database(Conversation.objects.get)
    assert row.handoff_reason == "Wants to complain"
    browser = await in_database(client_for, in_harbour)
    page = await in_database(browser.get, "/admin/conversations/conversation/?handoff_requested_at__isempty=0")
    assert "Wants to complain" in page.content.decode()
    missing = await asked("handoff.request", context_of(), reason="Nobody there")
    assert missing.code == "not_found"


def test_staff_see_reservations_and_note_who_came(staff):
    row = ReservationFactory(name="Ada")
    assert b"Ada" in staff.get("/admin/desk/reservation/").content
    page = f"/admin/desk/reservation/{row.pk}/change/"
    assert row.reference.encode() in staff.get(page).content
    assert staff.post(page, {"status": "arrived"}).status_code == 302
    row.refresh_from_db()
    assert row.status == "arrived"


def test_staff_make_a_calendar(staff):
    body = {
        "name": "Spa", "slug": "spa", "time_zone": "Europe/London", "opening_times": '{"mon": [["09:00", "18:00"]]}',
        "capacity": 6, "largest_party": 2, "slot_minutes": 60, "duration_minutes": 60, "days_ahead": 30,
    }  # fmt: skip
    assert staff.post("/admin/desk/reservationcalendar/add/", body).status_code == 302
    assert b"Spa" in staff.get("/admin/desk/reservationcalendar/").content
    refused = staff.post("/admin/desk/reservationcalendar/add/", {**body, "slug": "two", "time_zone": "x"}, follow=True)
    assert b"Europe/London" in refused.content
