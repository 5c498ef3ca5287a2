"""A hundred people in one meeting: LiveKit tells of each, and who is there and who was is known of every one."""

from __future__ import annotations

import asyncio

from tests.voice_worker.meetings.test_webhooks import event_of, load, meeting, person, tell  # noqa: F401
from voice_worker.models import Participant

PEOPLE = 100


async def test_of_a_hundred_who_come_and_half_of_whom_leave_each_is_known(
    meeting,  # noqa: F811
    hotel,
    harbour,
    rooms,
):
    people = [person(f"PA_{number}", f"guest-{number}", name=f"Guest {number}") for number in range(PEOPLE)]
    arrivals = [event_of(meeting, "participant_joined", **one) for one in people]
    departures = [event_of(meeting, "participant_left", **one) for one in people[::2]]
    # LiveKit tells several at once, and again what it isn't sure to have told.
    for several in (arrivals[:50], arrivals[40:], departures):
        answers = await asyncio.gather(*(tell(rooms, event) for event in several))
        assert {answer.status for answer in answers} == {200}

    listed = (await hotel.http.request("GET", f"/api/v1/meetings/{meeting['id']}/participants")).json()["results"]
    there = {one["name"]: one["left_at"] is None for one in listed}
    assert there == {f"Guest {number}": number % 2 == 1 for number in range(PEOPLE)}
    assert len(listed) == PEOPLE

    assert (await tell(rooms, event_of(meeting, "room_finished"))).status == 200
    assert all(row.left_at for row in await load(harbour, Participant))
