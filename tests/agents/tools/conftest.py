from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def may_reach(settings: Any) -> Iterator[Any]:
    """`may_reach("127.0.0.1:8000")`: what the operator lets agents reach, beside the public internet."""
    from agents.tools import egress

    def allow(*entries: str) -> None:
        settings.EGRESS_ALLOW = list(entries)
        settings.MCP_HOSTS = [entry.rpartition(":")[0] for entry in entries]
        egress._policy.cache_clear()
        egress._per_loop.clear()

    yield allow
    egress._policy.cache_clear()
    egress._per_loop.clear()
