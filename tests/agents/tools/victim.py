"""A process that calls a tool and is killed on the way, as `kill -9` would: run by test_killed.py.

Arguments: where to die, the tenant's slug, the turn. Prints what the call came to, if it lives.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import uuid
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[3]), str(Path(__file__).parents[3] / "platform")]
PLACES = ("before", "within", "after", "nowhere")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(place: str, slug: str, turn: str) -> None:
    import django

    django.setup()
    from agents.tools.registry import PythonCall, register_tool
    from agents.tools.run import run_tool
    from knowledge.models import Collection
    from tenants.context import use_public, use_tenant
    from tenants.models import Tenant
    from tests.agents.tools.calling import context_of, tool_of

    def make(name: str) -> dict[str, Any]:
        Collection.objects.create(name=name, slug=f"made-{uuid.uuid4().hex[:12]}")
        if place == "within":
            die()
        return {"made": name}

    @register_tool("test.make", description="Makes.", input_schema={"type": "object"}, writes=True)
    async def make_one(arguments: dict[str, Any], call: PythonCall) -> Any:
        if place == "before":
            die()
        made = await call.commit(make, "A killed effect")
        if place == "after":
            die()
        return made

    with use_public():
        tenant = Tenant.objects.get(slug=slug)
    with use_tenant(tenant):
        context = context_of(turn_id=uuid.UUID(turn))
        result = asyncio.run(run_tool(tool=tool_of(handler="test.make", writes=True), arguments={}, context=context))
    print(result.ok, result.data, result.code)  # noqa: T201
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:4])
