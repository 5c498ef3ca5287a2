"""The client of remote workers: a call goes on whatever becomes of the platform, and what was used is told once."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from switchboard_client import Cost, Passage, Personality, Switchboard, SwitchboardClient, Tenant, Untold
from switchboard_client.testing import MockSwitchboard
from tests.switchboard_client.platform_double import Double, platform_double

ROOT = Path(__file__).resolve().parents[2]
TENANT = {"id": "t-1", "name": "Harbour", "service_tier": "gold", "metadata": {"a": 1}, "session_id": "s-1", "new": 1}
PASSAGE = {"id": "1", "title": "House", "content": "From 7.", "score": 0.7, "category": "house", "page": 1}
STT = Cost("stt", "deepgram", "nova-3", cost_usd="0.0125", quantity=12.5, unit="second")


@pytest.fixture
async def double() -> AsyncIterator[Double]:
    async with platform_double() as started:
        started.answers = {
            "/api/v1/worker/tenant": TENANT,
            "/api/v1/worker/knowledge/search": {"passages": [PASSAGE]},
            "/api/v1/worker/flags/evaluate": {"enabled": True, "reason": "rule"},
            "/api/v1/worker/personality": {"id": "p", "name": "Kind", "instructions": "Be kind.", "languages": ["en"]},
        }
        yield started


@pytest.fixture
async def client(double: Double) -> AsyncIterator[Switchboard]:
    switchboard = Switchboard(double.url, "sb_key", timeout=0.5, rest=0.2)
    yield switchboard
    await switchboard.aclose(0.1)


async def everything(client: SwitchboardClient) -> list[Any]:
    return [
        await client.tenant_by_room("r"),
        await client.search_knowledge("When?", room="r"),
        await client.is_enabled("premium", room="r"),
        await client.personality(room="r"),
    ]


NOTHING: list[Any] = [None, [], False, None]


async def test_questions_are_answered(client: Switchboard, double: Double) -> None:
    assert await everything(client) == [
        Tenant("t-1", "Harbour", "gold", {"a": 1}, session_id="s-1"),
        [Passage("1", "House", "From 7.", 0.7, "house")],
        True,
        Personality("p", "Kind", "Be kind.", languages=("en",)),
    ]
    assert {one.headers["authorization"] for one in double.heard} == {"Bearer sb_key"}


async def test_a_tenant_is_asked_for_once_a_session(client: Switchboard, double: Double) -> None:
    for _ in range(3):
        await client.tenant_by_room("r")
    assert len(double.heard) == 1

    client.forget("r")
    await client.tenant_by_room("r")
    assert len(double.heard) == 2


async def test_connections_are_kept(client: Switchboard, double: Double) -> None:
    for _ in range(5):
        await client.is_enabled("premium", room="r")

    assert double.opened == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_what_passes_is_tried_again(client: Switchboard, double: Double, status: int) -> None:
    double.statuses = [status, status, 200]

    assert await client.is_enabled("premium", room="r")
    assert len(double.heard) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_what_is_refused_is_not_tried_again(client: Switchboard, double: Double, status: int) -> None:
    double.statuses = [status]

    assert await everything(client) == NOTHING
    assert len(double.heard) == 4


@pytest.mark.parametrize("raw", [b"", b"<html>", b"[]", b'{"passages": 7}', b'{"id": 1}'])
async def test_nonsense_comes_to_nothing(client: Switchboard, double: Double, raw: bytes) -> None:
    double.raw = raw

    assert await everything(client) == NOTHING


async def test_a_slow_platform_holds_nobody_up(client: Switchboard, double: Double) -> None:
    double.delay = 5.0
    begun = time.monotonic()

    assert await everything(client) == NOTHING

    # One question waits out its time; the others come within the rest that follows.
    assert time.monotonic() - begun < 4.0


async def test_a_platform_that_is_down_holds_nobody_up_and_is_asked_again_when_it_is_back(
    client: Switchboard, double: Double
) -> None:
    await double.stop()
    begun = time.monotonic()
    assert await everything(client) == NOTHING
    assert time.monotonic() - begun < 4.0

    await double.start()
    await asyncio.sleep(0.25)
    assert await client.is_enabled("premium", room="r")


async def test_nobody_waits_as_long_as_a_busy_platform_asks(client: Switchboard, double: Double) -> None:
    double.statuses, double.headers = [429], {"Retry-After": "30"}
    begun = time.monotonic()

    assert await client.search_knowledge("When?", room="r") == []

    assert time.monotonic() - begun < 10
    assert len(double.heard) == 1


async def test_what_was_used_is_told(client: Switchboard, double: Double) -> None:
    key = client.track_cost(STT, room="r", session_id="s-1")
    event = client.record_event("greeted", room="r", data={"words": 7}, at_ms=1200)

    assert await client.flush() == 0

    cost, told = (one.body for one in double.heard)
    assert cost == {
        "service": "stt",
        "provider": "deepgram",
        "model": "nova-3",
        "cost_usd": "0.0125",
        "input_tokens": 0,
        "output_tokens": 0,
        "cached_tokens": 0,
        "quantity": "12.5",
        "unit": "second",
        "is_estimated": False,
        "purpose": "",
        "room": "r",
        "session_id": "s-1",
        "idempotency_key": key,
    }
    assert told == {"event_id": event, "name": "greeted", "data": {"words": 7}, "room": "r", "at_ms": 1200}


async def test_what_was_used_while_the_platform_was_down_is_told_once_afterwards(
    client: Switchboard, double: Double
) -> None:
    await double.stop()
    keys = {client.track_cost(STT, room="r") for _ in range(20)}
    keys.add(client.record_event("greeted", room="r"))
    assert await client.flush(0.3) == client.undelivered == 21

    await double.start()
    assert await client.flush(10) == 0

    assert double.keys == keys
    assert len(double.heard) == 21
    assert client.lost == 0


async def test_what_was_heard_though_its_answer_was_lost_is_told_again_by_the_same_key(
    client: Switchboard, double: Double
) -> None:
    double.swallow = 2
    key = client.track_cost(STT, room="r")

    assert await client.flush(10) == 0

    assert double.keys == {key}
    assert len(double.heard) == 3


async def test_a_late_event_stands_where_it_happened(client: Switchboard, double: Double) -> None:
    from datetime import UTC, datetime

    double.statuses = [503, 503, 200]
    before = datetime.now(UTC)
    client.record_event("greeted", room="r")
    after = datetime.now(UTC)

    assert await client.flush(10) == 0

    assert before <= datetime.fromisoformat(double.heard[-1].body["at"]) <= after
    assert len(double.heard) == 3


async def test_what_is_refused_holds_up_nothing_behind_it(client: Switchboard, double: Double) -> None:
    double.statuses = [404, 200]
    client.track_cost(STT, room="nowhere")
    key = client.track_cost(STT, room="r")

    assert await client.flush() == 0

    assert double.heard[-1].body["idempotency_key"] == key
    assert (client.lost, len(double.heard)) == (1, 2)


async def test_a_key_that_is_being_rotated_loses_nothing(client: Switchboard, double: Double) -> None:
    double.statuses = [401, 200]
    client.track_cost(STT, room="r")

    assert await client.flush(10) == 0

    assert (client.lost, len(double.heard)) == (0, 2)


async def test_an_outbox_has_an_end(double: Double) -> None:
    await double.stop()
    client = Switchboard(double.url, "sb_key", most_kept=3)
    keys = [client.track_cost(STT, room="r") for _ in range(5)]
    assert (client.undelivered, client.lost) == (3, 2)

    await double.start()
    await client.flush(10)
    await client.aclose()

    assert double.keys == set(keys[2:])


async def test_an_outbox_has_an_end_in_bytes_too(double: Double) -> None:
    await double.stop()
    client = Switchboard(double.url, "sb_key", most_kept_bytes=3_000)
    keys = [client.record_event("noted", room="r", data={"text": "x" * 1_000}) for _ in range(4)]
    client.record_event("noted", room="r", data={"text": "x" * 4_000})
    assert (client.undelivered, client.lost) == (2, 3)

    await double.start()
    assert await client.aclose(10) == []
    assert double.keys == set(keys[2:])


@pytest.mark.parametrize("odd", [object(), float("nan"), b"bytes"], ids=["object", "nan", "bytes"])
async def test_what_is_no_json_holds_up_nothing_behind_it(client: Switchboard, double: Double, odd: object) -> None:
    client.record_event("odd", room="r", data={"odd": odd})
    key = client.record_event("plain", room="r")
    assert await client.flush(10) == 0
    assert (client.lost, double.keys) == (1, {key})


async def test_closing_delivers_what_there_is(double: Double) -> None:
    async with Switchboard(double.url, "sb_key") as client:
        key = client.track_cost(STT, room="r")

    assert double.keys == {key}


async def test_what_closing_could_not_deliver_is_reported_and_can_be_told_by_another(
    double: Double, caplog: pytest.LogCaptureFixture
) -> None:
    await double.stop()
    client = Switchboard(double.url, "sb_key")
    keys = [client.track_cost(STT, room="r"), client.record_event("greeted", room="r")]

    left = await client.aclose(0.1)

    assert [one.key for one in left] == keys
    assert (client.undelivered, client.lost) == (0, 2)
    assert all(key in caplog.text for key in keys)
    assert await client.aclose(0.1) == [], "what was reported is the caller's"
    client.track_cost(STT, room="r")
    assert (client.undelivered, client.lost) == (0, 3), "and what comes afterwards is nobody's"

    kept = json.loads(json.dumps([[one.path, one.body] for one in left]))
    await double.start()
    async with Switchboard(double.url, "sb_key") as after:
        after.tell_again(Untold(path, body) for path, body in kept)
    assert double.keys == set(keys)
    assert [one.target for one in double.heard] == ["/api/v1/worker/costs", "/api/v1/worker/events"]


def test_what_is_tracked_before_there_is_a_loop_is_told_later() -> None:
    async def later(client: Switchboard, double: Double) -> int:
        await double.start()
        left = await client.flush()
        await client.aclose()
        await double.stop()
        return left

    from switchboard.launcher.ports import free_port

    double = Double(free_port())
    client = Switchboard(double.url, "sb_key")
    client.track_cost(STT, room="r")

    assert asyncio.run(later(client, double)) == 0
    assert len(double.heard) == 1


# --- the stand-in -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    sorted(name for name in vars(SwitchboardClient) if not name.startswith("_")),
)
def test_the_stand_in_is_asked_as_the_client_is(name: str) -> None:
    ours, mock = (inspect.signature(getattr(kind, name)) for kind in (Switchboard, MockSwitchboard))
    declared = inspect.signature(getattr(SwitchboardClient, name))
    assert ours == mock == declared


async def test_the_stand_in_answers_and_keeps() -> None:
    tenant = Tenant("t-1", "Harbour", "gold")
    mock = MockSwitchboard({"r": tenant}, [Passage("1", "House", "From 7.", 0.7, "house")], {"premium": True})

    assert await everything(mock) == [tenant, list(mock.passages), True, None]
    mock.is_away = True
    assert await everything(mock) == NOTHING
    mock.track_cost(STT, room="r", idempotency_key="k")
    mock.track_cost(STT, room="r", idempotency_key="k")
    assert (mock.costs, await mock.flush()) == ([], 2)
    mock.is_away = False
    assert await mock.flush() == 0
    assert [told.key for told in mock.costs] == ["k"]
    mock.is_away = True
    mock.track_cost(STT, room="r", idempotency_key="late")
    left = await mock.aclose()
    mock.is_away = False
    assert [one.key for one in left] == ["late"]
    mock.tell_again(left)
    assert [told.key for told in mock.costs] == ["k", "late"]


# --- by itself --------------------------------------------------------------------------------------------------------


def test_it_brings_nothing_of_the_platform() -> None:
    look = (
        "import sys, switchboard_client, switchboard_client.testing\n"
        "ours = {'django', 'switchboard', 'tenants', 'billing', 'knowledge', 'agents'}\n"
        "ours |= {'conversations', 'voice_worker'}\n"
        "print(sorted(ours & {name.partition('.')[0] for name in sys.modules}))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "platform")}
    done = subprocess.run([sys.executable, "-c", look], env=environment, cwd="/", capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_it_says_that_it_is_typed_and_what_it_needs() -> None:
    import tomllib

    package = ROOT / "platform" / "switchboard_client"
    assert (package / "py.typed").exists()
    own = tomllib.loads((package / "pyproject.toml").read_text())["project"]["dependencies"]
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert set(own) <= set(whole)
