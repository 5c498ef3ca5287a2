"""What workers elsewhere used, booked once: by REST and in tRPC's shape."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

import pytest

from billing.models import UsageEvent
from tenants.context import use_tenant
from tests.at_once import at_once
from tests.voice_worker.remote.worker import COST, RemoteWorker, Scene, make_scene


def test_a_cost_is_booked_once(ask: Any, scene: Scene) -> None:
    for _ in range(3):
        told = ask("cost", room=scene.room, idempotency_key="call-1", input_tokens=12, **COST)
        assert (told.status, told.data) == (200, {"recorded": True})

    with use_tenant(scene.tenant):
        event = UsageEvent.objects.get()
    assert event.cost_usd == Decimal("0.0125")
    assert (event.quantity, event.unit) == (Decimal("12.5"), "second")
    assert (event.service, event.provider, event.model, event.input_tokens) == ("stt", "deepgram", "nova-3", 12)
    assert event.conversation_id == scene.conversation.pk
    assert event.release_id == scene.conversation.release_id


def test_the_price_lists_know_minutes_and_characters_too(ask: Any, scene: Scene) -> None:
    heard = {"service": "stt", "provider": "deepgram", "model": "nova-3", "quantity": 90.5, "unit": "second"}
    spoken = {"service": "tts", "provider": "cartesia", "model": "sonic-3", "quantity": "1200", "unit": "character"}
    uncounted = {"service": "vision", "provider": "openai", "model": "whisper-1"}
    for number, used in enumerate((heard, spoken, uncounted)):
        assert ask("cost", room=scene.room, idempotency_key=str(number), **used).status == 200

    with use_tenant(scene.tenant):
        booked = {row.service: row.cost_usd for row in UsageEvent.objects.all()}
    assert booked == {"stt": Decimal("0.01161417"), "tts": None, "vision": None}  # 90.5 x 0.0077 / 60


def test_a_cost_told_eight_times_at_once_is_booked_once(worker: RemoteWorker, scene: Scene) -> None:
    asked = {"room": scene.room, **COST}

    answers = at_once(lambda key: worker.rest("cost", idempotency_key=key, **asked).status, ["same"] * 8)

    assert set(answers) == {200}
    with use_tenant(scene.tenant):
        assert UsageEvent.objects.count() == 1


def test_the_price_lists_say_what_a_worker_does_not(ask: Any, scene: Scene) -> None:
    tokens = {"service": "llm", "provider": "openai", "model": "gpt-4.1-mini", "input_tokens": 1000}

    ask("cost", tenant_id=str(scene.tenant.pk), idempotency_key="a", output_tokens=10, **tokens)
    unknown = {**tokens, "model": "unheard-of", "cost_usd": None}
    assert ask("cost", tenant_id=str(scene.tenant.pk), idempotency_key="b", **unknown).status == 200

    with use_tenant(scene.tenant):
        known, unpriced = UsageEvent.objects.order_by("id")
    assert known.cost_usd is not None
    assert known.cost_usd > 0
    assert unpriced.cost_usd is None


@pytest.mark.parametrize("name", ["session_id", "conversation_id"])
def test_a_cost_of_an_unknown_talk_is_refused(ask: Any, scene: Scene, name: str) -> None:
    told = ask("cost", tenant_id=str(scene.tenant.pk), idempotency_key="x", **COST, **{name: str(uuid.uuid4())})

    assert (told.status, told.code) == (404, "not_found")
    with use_tenant(scene.tenant):
        assert not UsageEvent.objects.exists()


def test_a_cost_is_of_the_room_it_names(ask: Any, scene: Scene) -> None:
    other = make_scene(scene.tenant)

    for name, value in {"session_id": other.session.pk, "conversation_id": other.conversation.pk}.items():
        assert ask("cost", room=scene.room, idempotency_key="x", **COST, **{name: str(value)}).status == 404
    assert ask("cost", room=scene.room, idempotency_key="x", **COST, session_id=str(scene.session.pk)).status == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"cost_usd": -1},
        {"cost_usd": "NaN"},
        {"cost_usd": "1e300"},
        {"input_tokens": -1},
        {"input_tokens": 2**31},
        {"input_tokens": True},
        {"service": "magic"},
        {"unit": ""},
        {"quantity": "Infinity"},
        {"idempotency_key": ""},
        {"idempotency_key": "x" * 101},
        {"provider": "\x00"},
        {"provider": " "},
        {"session_id": "nonsense"},
    ],
    ids=str,
)
def test_a_cost_that_can_not_be_is_refused_by_name(ask: Any, scene: Scene, wrong: dict[str, Any]) -> None:
    told = ask("cost", **{"room": scene.room, "idempotency_key": "x", **COST, **wrong})

    assert (told.status, told.code) == (422, "invalid")
