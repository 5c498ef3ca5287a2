"""Is the process alive, and can it do its work? For load balancers and `make run`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from weakref import WeakKeyDictionary

from django.db import connection
from django.http import HttpRequest, JsonResponse

from switchboard.celery import app
from switchboard.kernel.database import in_database
from switchboard.kernel.redis import async_redis
from tenants.domain.template import current_digest
from tenants.models import SchemaTemplate

_CHECK_SECONDS = 3.0
_WORKER_KEY = "readyz:worker"
_looks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[dict[str, str]]] = WeakKeyDictionary()


async def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers. Touches nothing else, so that a database restart doesn't get the web server killed."""
    return JsonResponse({"status": "ok"})


async def readyz(request: HttpRequest) -> JsonResponse:
    """Each part the platform needs: `ok`, or the short name of what is wrong with it. 503 unless all are.

    Anybody may ask, so however many ask at once, one look serves them all.
    """
    loop = asyncio.get_running_loop()
    look = _looks.get(loop)
    if look is None or look.done():
        look = _looks[loop] = loop.create_task(_look())
    parts = await asyncio.shield(look)
    ready = all(answer == "ok" for answer in parts.values())
    return JsonResponse({"status": "ok" if ready else "unavailable", "checks": parts}, status=200 if ready else 503)


async def _look() -> dict[str, str]:
    checks: dict[str, Callable[[], Awaitable[str]]] = {
        "database": _database,
        "migrations": _migrations,
        "redis": _redis,
        "worker": _worker,
    }
    answers = await asyncio.gather(*(_judge(check) for check in checks.values()))
    return dict(zip(checks, answers, strict=True))


async def _judge(check: Callable[[], Awaitable[str]]) -> str:
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            return await check()
    except TimeoutError:
        return "timeout"
    except Exception:
        return "unreachable"


async def _database() -> str:
    def ask() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    await in_database(ask)
    return "ok"


async def _migrations() -> str:
    done = await in_database(SchemaTemplate.objects.filter(digest=current_digest()).exists)
    return "ok" if done else "pending"


async def _redis() -> str:
    await async_redis().get("readyz")
    return "ok"


async def _worker() -> str:
    # A broadcast reaches every worker and waits for answers; one look a few seconds serves all who ask.
    # Not by Django's cache: it would wait for Redis on the one thread that all requests of the data plane share.
    known = await async_redis().get(_WORKER_KEY)
    if known is None:
        replies = await asyncio.to_thread(app.control.ping, timeout=0.7)
        known = "ok" if replies else "absent"
        await async_redis().set(_WORKER_KEY, known, ex=5 if replies else 1)
    return str(known)
