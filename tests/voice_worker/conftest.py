"""What tests of sessions and of the worker share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest


@pytest.fixture
async def web_process(live_tenants: None) -> AsyncIterator[None]:
    """What a process does beside its sessions, on this test's event loop."""
    from switchboard.kernel import lifespan

    await lifespan.start()
    yield
    await lifespan.stop()
