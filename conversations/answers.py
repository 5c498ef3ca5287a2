"""The events of a message that was just taken in, for whoever waits for its answer."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

from conversations import runner
from conversations.domain.turns import Accepted
from conversations.events.hub import hub
from conversations.events.keys import event_key
from conversations.events.record import Record
from conversations.events.stream import follow, follow_turn, only_turn


def events_of(conversation_id: uuid.UUID, accepted: Accepted) -> AsyncIterator[Record | None]:
    """The events of an accepted turn. It is started here and now, not when the client first reads."""
    key = event_key(conversation_id)
    if accepted.job is None:
        return only_turn(follow(conversation_id, after=accepted.after), accepted.turn_id)
    reader = hub().open_reader(key)
    runner.run(accepted.job)

    async def records() -> AsyncIterator[Record | None]:
        try:
            async for record in follow_turn(conversation_id, accepted.turn_id, reader, after=accepted.after):
                yield record
        finally:
            hub().close_reader(key, reader)

    return records()
