"""A tenant's limits on models: calls and tokens a minute, calls at once, each its own, and none without Redis."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import pytest

from agents.engine.gateway import ModelFailed, limits
from agents.releases import Endpoint
from switchboard.kernel.redis import redis_client
from tenants.context import Scope, use_tenant
from tests.agents.listening import allowing, answer, hear_all, knowing
from tests.model_server.process import ModelServer

UNLIMITED = {"model_requests_per_minute": 0, "model_tokens_per_minute": 0, "model_calls_at_once": 0}


def tenant(name: str = "t_limits", **noted: int) -> Scope:
    return Scope(name, uuid.uuid4(), metadata={**UNLIMITED, **noted})


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_away_until", 0.0)
    redis_client().flushdb()


async def refused(**what: int) -> ModelFailed:
    with pytest.raises(ModelFailed) as caught:
        await limits.admit(**{"tokens": 1, **what})
    assert caught.value.code == "rate_limited"
    return caught.value


async def test_a_minutes_calls_and_no_more() -> None:
    with use_tenant(tenant(model_requests_per_minute=3)):
        for _ in range(3):
            await limits.admit(tokens=1)
        failed = await refused()

    assert failed.retry_after is not None
    assert 15 <= failed.retry_after <= 20  # a third of a minute for each
    assert "Try again in" in failed.detail


async def test_what_is_asked_at_once_is_decided_at_once() -> None:
    with use_tenant(tenant(model_requests_per_minute=5)):
        found = await asyncio.gather(*(limits.admit(tokens=1) for _ in range(20)), return_exceptions=True)

    assert sum(isinstance(one, limits.Ticket) for one in found) == 5


async def test_tokens_are_put_down_first_and_settled_after() -> None:
    with use_tenant(tenant(model_tokens_per_minute=1000)):
        ticket = await limits.admit(tokens=400)
        await limits.settle(ticket, tokens=950)
        failed = await refused(tokens=100)
        cheap = await limits.admit(tokens=10)
        await limits.settle(cheap, tokens=0)

    assert failed.retry_after is not None
    assert failed.retry_after <= 10


async def test_a_request_larger_than_the_limit_is_let_through_when_nothing_else_was_used() -> None:
    with use_tenant(tenant(model_tokens_per_minute=100)):
        await limits.admit(tokens=5000)
        await refused()


async def test_calls_at_once_end_with_the_call_or_with_their_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    with use_tenant(tenant(model_calls_at_once=1)):
        ticket = await limits.admit(tokens=1)
        await refused()
        await limits.settle(ticket, tokens=1)
        monkeypatch.setattr(limits, "_LEASE_SECONDS", 0.2)
        await limits.admit(tokens=1)  # its process is killed
        await refused()
        await asyncio.sleep(0.3)
        await limits.admit(tokens=1)


async def test_one_tenants_use_is_not_anothers() -> None:
    with use_tenant(tenant("t_one", model_requests_per_minute=1)):
        await limits.admit(tokens=1)
        await refused()
    with use_tenant(tenant("t_two", model_requests_per_minute=1)):
        await limits.admit(tokens=1)


async def test_what_the_operators_noted_goes_before_the_setting(settings: Any) -> None:
    settings.TENANT_REQUESTS_PER_MINUTE = 7
    with use_tenant(Scope("t", uuid.uuid4(), metadata={"model_tokens_per_minute": 9, "model_calls_at_once": True})):
        found = limits.limits_of_tenant()

    assert (found.requests_per_minute, found.tokens_per_minute) == (7, 9)
    assert found.calls_at_once == settings.TENANT_CALLS_AT_ONCE


async def test_without_redis_calls_go_through_and_wait_but_once(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    clock = asyncio.get_running_loop().time
    with use_tenant(tenant(model_requests_per_minute=1)):
        started = clock()
        for _ in range(20):
            await limits.settle(await limits.admit(tokens=1), tokens=1)

    assert clock() - started < 1.0


async def test_a_refused_call_reaches_no_model(model_server: ModelServer, settings: Any) -> None:
    with allowing(model_server.host_and_port, settings), use_tenant(tenant(model_requests_per_minute=1)):
        chain = [knowing(Endpoint(name, model_server.url, "k"), "stub") for name in ("One", "Two")]
        assert (await hear_all(answer(*chain))).text
        heard = await hear_all(answer(*chain), failing=True)

    assert heard.failure is not None
    assert heard.failure.code == "rate_limited"
    assert heard.failure.retry_after is not None
    assert model_server.count("stub") == 1


async def test_a_call_that_is_left_frees_its_place(model_server: ModelServer, settings: Any) -> None:
    with allowing(model_server.host_and_port, settings), use_tenant(tenant(model_calls_at_once=1)):
        choice = knowing(Endpoint("One", model_server.url, "k"), "slow")
        pieces = answer(choice)
        assert await anext(pieces)
        await refused()
        await pieces.aclose()
        await limits.admit(tokens=1)
