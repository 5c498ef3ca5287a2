"""A hundred people in a room, at the seam below the SDK: whom the agent listens to, and when it is alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from livekit import rtc

from voice_worker.worker.company import Company

CONTACT = "contact-1"


@dataclass
class Microphone:
    """A publication, and how often it was asked for."""

    source: int = rtc.TrackSource.SOURCE_MICROPHONE
    kind: int = rtc.TrackKind.KIND_AUDIO
    is_heard: bool = False
    asked: int = 0

    def set_subscribed(self, wanted: bool) -> None:
        self.is_heard = wanted
        self.asked += 1


@dataclass
class Person:
    identity: str
    kind: int = rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD
    sid: str = ""
    track_publications: dict[str, Microphone] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sid = self.sid or f"PA_{self.identity}"
        self.track_publications = self.track_publications or {"microphone": Microphone()}

    @property
    def microphone(self) -> Microphone:
        return self.track_publications["microphone"]


class Room:
    """What the SDK tells of a room."""

    def __init__(self) -> None:
        self.remote_participants: dict[str, Person] = {}
        self._handlers: dict[str, list[Callable[..., None]]] = {}

    def on(self, name: str, handler: Callable[..., None]) -> None:
        self._handlers.setdefault(name, []).append(handler)

    def off(self, name: str, handler: Callable[..., None]) -> None:
        self._handlers[name].remove(handler)

    def come(self, person: Person) -> Person:
        self.remote_participants[person.identity] = person
        self._tell("participant_connected", person)
        return person

    def go(self, person: Person) -> None:
        if self.remote_participants.get(person.identity) is person:
            del self.remote_participants[person.identity]
        self._tell("participant_disconnected", person)

    def heard(self) -> list[str]:
        return [one.identity for one in self.remote_participants.values() if one.microphone.is_heard]

    def _tell(self, name: str, *words: Any) -> None:
        for handler in list(self._handlers.get(name, [])):
            handler(*words)


def company_in(room: Room, *, patience: float = 0.1) -> tuple[Company, list[str]]:
    listened: list[str] = []
    company = Company(room, contact=CONTACT, listen_to=listened.append, patience=patience)  # type: ignore[arg-type]
    company.start()
    return company, listened


async def test_of_a_hundred_the_contact_is_listened_to_and_one_microphone_is_decoded() -> None:
    room = Room()
    company, listened = company_in(room)
    people = [room.come(Person(f"staff-{number}")) for number in range(60)]
    assert room.heard() == ["staff-0"], "whoever came first, while the contact isn't there"

    contact = room.come(Person(CONTACT))
    people += [room.come(Person(f"guest-{number}")) for number in range(39)]

    assert room.heard() == [CONTACT]
    assert listened == ["staff-0", CONTACT]
    asked = sum(person.microphone.asked for person in [*people, contact])
    assert asked == 3, "who comes and goes beside them costs nothing"

    for person in people[:50]:
        room.go(person)
    assert room.heard() == [CONTACT]
    room.go(contact)
    assert room.heard() == ["staff-50"], "somebody else is there still"
    for person in people[50:]:
        room.go(person)
    await asyncio.wait_for(company.gone.wait(), 5)


async def test_an_agent_that_nobody_comes_to_does_not_wait_without_end() -> None:
    company, listened = company_in(Room())
    await asyncio.wait_for(company.gone.wait(), 5)
    assert listened == []


async def test_other_agents_are_no_company() -> None:
    room = Room()
    company, listened = company_in(room)
    room.come(Person("agent-x", kind=rtc.ParticipantKind.PARTICIPANT_KIND_AGENT))
    await asyncio.wait_for(company.gone.wait(), 5)
    assert listened == []


async def test_whoever_is_back_in_time_is_heard_again_in_their_new_stay() -> None:
    room = Room()
    company, listened = company_in(room, patience=0.2)
    before = room.come(Person(CONTACT, sid="PA_1"))
    room.go(before)
    await asyncio.sleep(0.1)
    after = room.come(Person(CONTACT, sid="PA_2"))
    await asyncio.sleep(0.3)
    assert not company.gone.is_set()
    assert after.microphone.is_heard
    assert listened == [CONTACT, CONTACT]


async def test_the_end_of_a_first_stay_may_be_told_after_the_beginning_of_the_second() -> None:
    room = Room()
    company, _ = company_in(room)
    before = room.come(Person(CONTACT, sid="PA_1"))
    after = room.come(Person(CONTACT, sid="PA_2"))
    room.go(before)
    await asyncio.sleep(0.3)
    assert not company.gone.is_set()
    assert after.microphone.is_heard


async def test_a_microphone_that_is_turned_on_later_is_listened_to_if_it_is_theirs() -> None:
    room = Room()
    company_in(room)
    contact, guest = room.come(Person(CONTACT)), room.come(Person("guest-1"))
    for person in (contact, guest):
        late = Microphone()
        room._tell("track_published", late, person)
        assert late.is_heard is (person is contact)
    screen = Microphone(kind=rtc.TrackKind.KIND_VIDEO, source=rtc.TrackSource.SOURCE_SCREENSHARE)
    room._tell("track_published", screen, contact)
    assert not screen.is_heard


async def test_guests_are_company_whose_words_are_nobodys() -> None:
    room = Room()
    company, listened = company_in(room)
    guest = room.come(Person("guest-1"))
    await asyncio.sleep(0.3)  # longer than it waits alone
    assert (room.heard(), company.gone.is_set(), company.has_guests()) == ([], False, True)

    room.go(room.come(Person(CONTACT)))
    await asyncio.sleep(0.3)

    assert (listened, room.heard(), company.gone.is_set()) == ([CONTACT], [], False)
    room.go(guest)
    assert not company.has_guests()
    await asyncio.wait_for(company.gone.wait(), 5)
