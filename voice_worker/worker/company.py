"""Who is in the room with an agent: whom it listens to, and when nobody is left to talk with.

livekit-agents listens to whoever it meets first and leaves with them, and a room that is joined for its sound has every
microphone in it decoded. Here the contact is who the agent is for, one microphone is decoded, and whoever was cut off
finds the agent where they left it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final

from livekit import rtc
from livekit.agents.job import DEFAULT_PARTICIPANT_KINDS

from voice_worker.meetings.tokens import kind_of
from voice_worker.models import Participant

logger = logging.getLogger(__name__)

_HEARD: Final = frozenset({rtc.TrackSource.SOURCE_MICROPHONE, rtc.TrackSource.SOURCE_UNKNOWN})


class Company:
    """The people in a room.

    Args:
        contact: the identity of the one the agent is for. While they aren't there, it listens to whoever came first of
            the staff. Guests it keeps company, and takes nothing they say for the contact's word.
        listen_to: told of the identity that is listened to from now on.
        patience: seconds that an agent alone waits for somebody to come, or to come back.
    """

    def __init__(self, room: rtc.Room, *, contact: str, listen_to: Callable[[str], None], patience: float) -> None:
        self._room = room
        self._contact = contact
        self._listen_to = listen_to
        self._patience = patience
        self._heard = ""
        self._leaving: asyncio.TimerHandle | None = None
        self.gone = asyncio.Event()

    def start(self) -> None:
        """Look around, and notice who comes and goes from now on. The room is connected to."""
        self._room.on("participant_connected", self._came)
        self._room.on("participant_disconnected", self._left)
        self._room.on("track_published", self._published)
        self._turn_to(self._next())

    def stop(self) -> None:
        """Notice nothing any more."""
        self._room.off("participant_connected", self._came)
        self._room.off("participant_disconnected", self._left)
        self._room.off("track_published", self._published)
        self._stay()

    def has_guests(self) -> bool:
        """Whether somebody is there who may hear only what anybody may."""
        return any(not _may_speak(person) for person in self._people())

    def _came(self, participant: rtc.RemoteParticipant) -> None:
        if not _is_person(participant):
            return
        self._stay()
        if not _may_speak(participant):
            return
        if participant.identity == self._contact or self._heard not in self._room.remote_participants:
            self._turn_to(participant.identity)

    def _left(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity == self._heard or self._heard not in self._room.remote_participants:
            self._turn_to(self._next(without=participant.sid), without=participant.sid)

    def _published(self, publication: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant) -> None:
        if participant.identity == self._heard:
            _subscribe(publication, True)

    def _next(self, *, without: str = "") -> str:
        """Who is to be listened to of those who are there; empty: nobody is."""
        there = [one for one in self._people(without) if _may_speak(one)]
        if any(one.identity == self._contact for one in there):
            return self._contact
        return there[0].identity if there else ""

    def _people(self, without: str = "") -> list[rtc.RemoteParticipant]:
        return [one for one in self._room.remote_participants.values() if _is_person(one) and one.sid != without]

    def _turn_to(self, identity: str, *, without: str = "") -> None:
        if not identity:
            # Whoever was heard last is who is waited for: they are heard again as soon as they are back.
            if not self._people(without):
                self._wait()
            return
        before = self._room.remote_participants.get(self._heard)
        if before is not None and before.identity != identity:
            for publication in before.track_publications.values():
                _subscribe(publication, False)
        self._heard = identity
        for publication in self._room.remote_participants[identity].track_publications.values():
            _subscribe(publication, True)
        self._listen_to(identity)

    def _wait(self) -> None:
        if self._leaving is None:
            self._leaving = asyncio.get_running_loop().call_later(self._patience, self._go)

    def _go(self) -> None:
        self._leaving = None
        # Of two stays of one person the end of the first may be told after the beginning of the second.
        if someone := self._next():
            self._turn_to(someone)
        elif not self._people():
            self.gone.set()

    def _stay(self) -> None:
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None


def _may_speak(participant: rtc.RemoteParticipant) -> bool:
    """Whether what somebody says may be taken for the contact's: tools are used in their name, and confirmed by it."""
    if participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_SIP:
        return True  # whoever calls
    return _is_person(participant) and kind_of(participant.identity) != Participant.Kind.GUEST


def _is_person(participant: rtc.RemoteParticipant) -> bool:
    return participant.kind in DEFAULT_PARTICIPANT_KINDS


def _subscribe(publication: Any, wanted: bool) -> None:
    if publication.kind != rtc.TrackKind.KIND_AUDIO or publication.source not in _HEARD:
        return
    try:
        publication.set_subscribed(wanted)
    except Exception:
        logger.warning("a microphone can't be listened to", exc_info=True)
