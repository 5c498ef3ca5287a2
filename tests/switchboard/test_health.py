"""Health, as a load balancer asks for it, and as anybody may."""

from __future__ import annotations

import asyncio

from switchboard.kernel.redis import async_redis
from tests.asgi_client import AsgiClient


async def test_however_many_ask_one_look_serves_them_all(live_tenants: None) -> None:
    client = AsgiClient("anything.example")
    before = await _commands()

    answers = await asyncio.gather(*(client.request("GET", "/readyz") for _ in range(40)))

    assert {answer.status for answer in answers} == {503}  # there is no worker beside the tests
    assert answers[0].json()["checks"]["worker"] == "absent"
    assert answers[0].json()["checks"]["database"] == "ok"
    # A ping alone takes some twenty commands of Celery's.
    assert await _commands() - before < 100


async def _commands() -> int:
    stats = await async_redis().info("stats")
    return int(stats["total_commands_processed"])
