"""A worker elsewhere, with the key that the demo is seeded with."""

from __future__ import annotations

import asyncio
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from switchboard_client import Cost, Switchboard
from tests.platform_process import Company, Platform

pytestmark = pytest.mark.e2e


def test_the_demos_worker_key_opens_what_workers_need(platform: Platform, hotel: Company) -> None:
    # In a thread: Playwright's own event loop runs in this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, _works(platform, hotel)).result()


async def _works(platform: Platform, hotel: Company) -> None:
    key = json.loads((platform.data_dir / "demo.json").read_text())["agent_api_key"]
    [row] = platform.rows(hotel, "SELECT id FROM tenants_tenant WHERE slug = %s", hotel.slug)
    tenant_id = str(row["id"])

    async with Switchboard(f"http://127.0.0.1:{platform.port}", key, timeout=20) as client:
        passages = []
        deadline = time.monotonic() + 90  # the demo's documents are still being read, perhaps
        while not any(passage.title == "Salt & Stone Spa" for passage in passages):
            assert time.monotonic() < deadline
            passages = await client.search_knowledge("Is the spa open on Sunday?", tenant_id=tenant_id)
            await asyncio.sleep(0.5)
        personality = await client.personality(tenant_id=tenant_id)
        used = client.track_cost(Cost("stt", "deepgram", "nova-3", cost_usd="0.0009"), tenant_id=tenant_id)
        assert await client.flush(20) == 0
        assert client.lost == 0

    assert passages[0].title == "Salt & Stone Spa"
    assert 0.3 < passages[0].score <= 1
    assert [passage.score for passage in passages] == sorted((one.score for one in passages), reverse=True)
    assert personality is not None
    assert personality.name == "Warm host"
    wanted = "SELECT count(*) FROM billing_usageevent WHERE idempotency_key = %s"
    assert platform.rows(hotel, wanted, f"worker:{used}") == [{"count": 1}]
