"""The client of remote workers at the real server."""

from __future__ import annotations

from asgiref.sync import sync_to_async

from billing.models import UsageEvent
from switchboard.kernel.database import in_database
from switchboard_client import Cost, Switchboard
from tenants.context import use_tenant
from tests.factories import FlagFactory, PersonalityFactory
from tests.voice_worker.remote.worker import Scene
from voice_worker.models import TimelineEntry


def _furnish(scene: Scene) -> None:
    with use_tenant(scene.tenant):
        FlagFactory.create(key="premium_voice", default=True)
        PersonalityFactory.create(is_default=True, content={"instructions": "Be brisk."})


def _kept(scene: Scene) -> tuple[list[object], list[object]]:
    with use_tenant(scene.tenant):
        costs = UsageEvent.objects.values_list("conversation_id", flat=True)
        return list(costs), list(TimelineEntry.objects.values_list("session_id", "data__name"))


async def test_a_worker_elsewhere_does_its_work(web_server: str, worker_key: str, scene: Scene) -> None:
    await in_database(_furnish, scene)
    async with Switchboard(web_server, worker_key, timeout=10) as client:
        tenant = await client.tenant_by_room(scene.room)
        passages = await client.search_knowledge("When is breakfast?", room=scene.room)
        premium = await client.is_enabled("premium_voice", room=scene.room, contact="ada")
        personality = await client.personality(room=scene.room)
        nobody = await client.tenant_by_room("nowhere")
        for _ in range(2):
            client.track_cost(Cost("stt", "deepgram", cost_usd=0.01), room=scene.room, idempotency_key="call-1")
            client.record_event("greeted", room=scene.room, event_id="greeting")
        assert await client.flush(10) == 0
        assert client.lost == 0

    assert tenant is not None
    assert (tenant.id, tenant.session_id) == (str(scene.tenant.pk), str(scene.session.pk))
    assert [passage.title for passage in passages] == ["House"]
    assert premium
    assert personality is not None
    assert personality.instructions == "Be brisk."
    assert nobody is None
    costs, events = await sync_to_async(_kept)(scene)
    assert costs == [scene.conversation.pk]
    assert events == [(scene.session.pk, "greeted")]
