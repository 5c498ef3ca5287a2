"""Who is let in, on which hosts, and how what can't be read is refused."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from tenants import directory
from tenants.context import use_public
from tenants.domain.api_keys import create_api_key, revoke_api_key
from tenants.models import ApiKey
from tenants.permissions import Permission
from tests.isolation import assert_problem
from tests.voice_worker.remote.worker import NEEDED, OPERATIONS, RemoteWorker, Scene

TENANT = "/trpc/livekit.getTenantByRoom"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "web", "harbour.localhost", "agency.localhost"])
def test_a_worker_reaches_the_server_by_any_address(worker_key: str, scene: Scene, host: str) -> None:
    worker = RemoteWorker(worker_key, host)

    assert worker.rest("tenant", room=scene.room).data["id"] == str(scene.tenant.pk)
    assert worker.trpc("tenant", room=scene.room).data["id"] == str(scene.tenant.pk)


@pytest.mark.parametrize("door", ["rest", "trpc"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_only_a_platform_key_with_the_scope_may(
    scene: Scene, api_key_for: Callable[..., str], door: str, operation: str
) -> None:
    with use_public():
        operators = create_api_key(tenant=None, name="Operators", scopes=[Permission.TENANTS_WRITE])[1]
    asked = {"room": scene.room, **NEEDED[operation]}
    for host in ("localhost", "harbour.localhost"):
        tenants_own = RemoteWorker(api_key_for(scene.tenant), host)
        assert getattr(tenants_own, door)(operation, **asked).code == "forbidden"
        assert getattr(RemoteWorker(operators, host), door)(operation, **asked).status == 403
        assert getattr(RemoteWorker("", host), door)(operation, **asked).code == "not_authenticated"
        assert getattr(RemoteWorker("sb_made_up", host), door)(operation, **asked).code == "invalid_api_key"


def test_the_key_opens_nothing_else(worker_key: str, scene: Scene) -> None:
    for host, path in (
        ("localhost", "/api/v1/tenants"),
        ("localhost", "/api/v1/api-keys"),
        ("harbour.localhost", "/api/v1/agents"),
        ("harbour.localhost", f"/api/v1/conversations/{scene.conversation.pk}"),
    ):
        answer = Client(HTTP_HOST=host, HTTP_AUTHORIZATION=f"Bearer {worker_key}").get(path)
        assert answer.status_code in {401, 403}, path


def test_a_revoked_key_is_refused(worker: RemoteWorker, scene: Scene) -> None:
    assert worker.rest("tenant", room=scene.room).status == 200
    with use_public():
        revoke_api_key(key=ApiKey.objects.get(name="Voice workers"))
    directory.keys.forget()  # as every process does within `directory.MEMORY_SECONDS`

    assert worker.rest("tenant", room=scene.room).code == "invalid_api_key"
    assert worker.trpc("tenant", room=scene.room).code == "invalid_api_key"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "name"),
    [
        ("get", TENANT, None, 400, "BAD_REQUEST"),
        ("get", f"{TENANT}?input=", None, 400, "BAD_REQUEST"),
        ("get", f"{TENANT}?input=%7B", None, 400, "PARSE_ERROR"),
        ("get", f"{TENANT}?input=%5B%5D", None, 400, "BAD_REQUEST"),
        ("get", f'{TENANT}?input={{"room":"a"}}', None, 400, "BAD_REQUEST"),
        ("get", f'{TENANT}?input={{"json":{{}}}}', None, 400, "BAD_REQUEST"),
        ("get", f'{TENANT}?input={{"json":{{"roomName":7}}}}', None, 400, "BAD_REQUEST"),
        ("get", f'{TENANT}?input={{"json":{{"roomName":"nowhere"}}}}', None, 404, "NOT_FOUND"),
        ("get", f"{TENANT}?batch=1&input=%7B%7D", None, 400, "BAD_REQUEST"),
        ("get", f"{TENANT},ai.getPersonality?input=%7B%7D", None, 400, "BAD_REQUEST"),
        ("get", "/trpc/livekit.getRoom?input=%7B%7D", None, 404, "NOT_FOUND"),
        ("get", "/trpc/a/b", None, 404, "NOT_FOUND"),
        ("get", f"{TENANT}?input=" + "x" * 70_000, None, 413, "PAYLOAD_TOO_LARGE"),
        ("post", TENANT, b'{"json":{}}', 405, "METHOD_NOT_SUPPORTED"),
        ("get", "/trpc/usage.trackCost?input=%7B%7D", None, 405, "METHOD_NOT_SUPPORTED"),
        ("put", "/trpc/usage.trackCost", b'{"json":{}}', 405, "METHOD_NOT_SUPPORTED"),
        ("post", "/trpc/usage.trackCost", b"", 400, "BAD_REQUEST"),
        ("post", "/trpc/usage.trackCost", b"\xff{", 400, "PARSE_ERROR"),
        ("post", "/trpc/usage.trackCost", b'{"json":[]}', 400, "BAD_REQUEST"),
        ("post", "/trpc/usage.trackCost", b'{"json":{}}', 400, "BAD_REQUEST"),
        ("post", "/trpc/usage.trackCost", b"[" * 30_000, 400, "PARSE_ERROR"),
        ("post", "/trpc/usage.trackCost", b"x" * 70_000, 413, "PAYLOAD_TOO_LARGE"),
        ("post", "/trpc/usage.trackCost", b"x" * 8_000_000, 413, "PAYLOAD_TOO_LARGE"),
    ],
)
def test_trpc_says_clearly_what_it_does_not_take(
    worker: RemoteWorker, method: str, path: str, body: bytes | None, status: int, name: str
) -> None:
    sent = {} if body is None else {"data": body, "content_type": "application/json"}

    answer: Any = getattr(worker.http, method)(path, **sent)

    assert answer.status_code == status, answer.content[:300]
    error = json.loads(answer.content)["error"]
    assert error["data"]["code"] == name
    assert error["data"]["httpStatus"] == status
    assert error["code"] < -32000
    assert error["message"]


def test_an_input_that_does_not_fit_is_named(worker: RemoteWorker, scene: Scene) -> None:
    sent = json.dumps({"json": {"roomName": scene.room, "inputTokens": -1}})

    answer = worker.http.post("/trpc/usage.trackCost", sent, content_type="application/json").json()

    fields = {fault["field"] for fault in answer["error"]["data"]["errors"]}
    assert fields == {"idempotencyKey", "service", "provider", "inputTokens"}


def test_rest_refuses_what_it_does_not_know(worker: RemoteWorker, scene: Scene) -> None:
    body = json.dumps({"room": scene.room, "flag": "a", "flags": 1})
    posted = worker.http.post("/api/v1/worker/flags/evaluate", body, content_type="application/json")
    assert_problem(posted, 422, "invalid", field="flags")
    assert_problem(worker.http.get("/api/v1/worker/costs"), 405, "method_not_allowed")
    assert_problem(worker.http.get("/api/v1/worker/nothing"), 404, "not_found")


def test_a_foreign_session_takes_no_longer_to_miss_than_one_that_never_was(
    worker: RemoteWorker, scene: Scene, scene_of: Callable[..., Scene], agency: Any
) -> None:
    """By the queries that are made, which clocks on a busy machine can't tell."""
    from uuid import uuid4

    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from switchboard.kernel.problems import NotFound
    from tenants.context import use_tenant
    from voice_worker.remote.talk import session_in

    foreign = scene_of(agency)
    made = []
    for wanted in (uuid4(), foreign.session.pk):
        with use_tenant(scene.tenant), CaptureQueriesContext(connection) as seen, pytest.raises(NotFound):
            session_in(None, wanted)
        made.append([query["sql"].replace(wanted.hex, "…").replace(str(wanted), "…") for query in seen])
    assert made[0] == made[1]
    assert len(made[0]) == 1


def test_what_is_remembered_is_forgotten_soon(worker: RemoteWorker, scene: Scene) -> None:
    """A tenant that is suspended meanwhile is refused within the time that is promised of keys."""
    from tenants.models import Tenant

    assert worker.rest("tenant", room=scene.room).status == 200
    with use_public():
        Tenant.objects.filter(pk=scene.tenant.pk).update(status=Tenant.Status.SUSPENDED)
    deadline = time.monotonic() + 15
    while worker.rest("tenant", room=scene.room).status == 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert worker.rest("tenant", room=scene.room).code == "tenant_suspended"


def test_an_operator_makes_a_workers_key_by_a_command(scene: Scene) -> None:
    made = StringIO()
    call_command("create_worker_key", "The studio", stdout=made)

    assert RemoteWorker(made.getvalue().strip()).rest("tenant", room=scene.room).status == 200
    with use_public():
        assert ApiKey.objects.get(name="The studio").scopes == [Permission.WORKER_OPERATE]
