"""`manage.py run_voice_worker` on a real LiveKit server: who is answered, by whom, and that nobody else is."""

from __future__ import annotations

import asyncio

from conversations.models import Message
from switchboard.kernel.database import in_database
from tenants.context import use_tenant
from tenants.models import Tenant
from tests.voice_worker.livekit_server import LiveKitServer
from tests.voice_worker.worker.conftest import Meetings, Worker
from tests.voice_worker.worker.guest import guest_in
from voice_worker.models import Meeting


def thread_of(tenant: Tenant, meeting: Meeting) -> list[tuple[str, str]]:
    with use_tenant(tenant):
        return list(Message.objects.filter(conversation=meeting.conversation_id).values_list("role", "text"))


async def test_somebody_speaks_in_a_meeting_and_is_answered_aloud(
    worker: Worker, livekit: LiveKitServer, harbour: Tenant, meeting_of: Meetings
) -> None:
    meeting, token = await meeting_of(harbour, model="stub", runtime={"welcome_message": "Welcome to Harbour House."})

    async with guest_in(livekit.url, token) as guest:
        await guest.until_said("Welcome to Harbour House.")
        await asyncio.sleep(2.5)
        await guest.say("hello. what time is breakfast?")
        said = await guest.until_said("0@", seconds=30)
    print(said)  # noqa
    thread = await in_database(thread_of, harbour, meeting)
    assert thread[0][0] == "contact"
    assert thread[0][1]
    assert thread[1][0] == "agent"
