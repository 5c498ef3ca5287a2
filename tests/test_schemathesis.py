"""Every operation of the API's document, asked all sorts of things at the real server: it never answers with a 5xx."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error

from switchboard.kernel.problems import OPENAI_PATHS, WORKER_PATHS
from switchboard.openapi import PROBLEM, document
from tenants.context import use_public, use_tenant
from tenants.domain.api_keys import create_api_key
from tenants.permissions import Permission

MOST_EXAMPLES = 5
SECONDS = 10  # for one answer
# A stream of a conversation that is there has no end by itself.
ENDLESS = "/api/v1/conversations/{conversation_id}/events"

schemathesis_document = schemathesis.openapi.from_dict(document())


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        yield session


@pytest.fixture
def there(live_tenants: None, harbour: Any) -> dict[str, str]:
    """Ids of rows that are there, under the words that stand before them in a path."""
    from tests.factories import (
        AgentFactory,
        DocumentFactory,
        EndpointFactory,
        FlagFactory,
        IssuerFactory,
        MessageFactory,
        PersonalityFactory,
        PromptFactory,
        RuntimeConfigFactory,
        SecretFactory,
        TestCaseFactory,
        TestRunFactory,
        ToolFactory,
        UserFactory,
    )
    from tests.voice_worker.remote.worker import make_scene

    room = make_scene(harbour).room

    with use_tenant(harbour):
        agent, document, endpoint, message = AgentFactory(), DocumentFactory(), EndpointFactory(), MessageFactory()
        rows = {
            "prompts": PromptFactory(),
            "tools": ToolFactory(),
            "personalities": PersonalityFactory(),
            "runtime-configs": RuntimeConfigFactory(),
            "test-cases": TestCaseFactory(agent=agent),
            "test-runs": TestRunFactory(release=agent.live_release),
            "secrets": SecretFactory(),
            "members": UserFactory(role="viewer"),
            "token-issuers": IssuerFactory(),
        }
        return {
            **{name: str(row.id) for name, row in rows.items()},
            "versions": "1",
            "agents": str(agent.id),
            "releases": str(agent.live_release_id),
            "documents": str(document.id),
            "collections": str(document.collection_id),
            "endpoints": str(endpoint.id),
            "conversations": str(message.conversation_id),
            "turns": str(message.turn_id),
            "rooms": room,
            "flags": str(FlagFactory(key="seven").pk),
        }


@schemathesis_document.parametrize()
@settings(
    max_examples=MOST_EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_request_makes_the_server_fail(
    case: schemathesis.Case,
    web_server: str,
    session: requests.Session,
    there: dict[str, str],
    harbour: Any,
    api_key_for: Callable[..., str],
) -> None:
    if case.path != ENDLESS:
        name_real_rows(case, there)
    if case.path.startswith(WORKER_PATHS):
        name_real_room(case, there)
        key = worker_key(there)
    else:
        key = key_of(harbour, api_key_for)
    headers = {"Host": "harbour.localhost", "Authorization": f"Bearer {key}"}
    response = case.call(base_url=web_server, headers=headers, timeout=SECONDS, session=session)
    case.validate_response(response, checks=[not_a_server_error])
    if response.status_code >= 400:
        shape = "application/json" if case.path.startswith(OPENAI_PATHS) else PROBLEM
        assert response.headers["content-type"] == [shape], (response.status_code, response.text[:300])


def name_real_rows(case: schemathesis.Case, there: dict[str, str]) -> None:
    """Put ids that are there in the place of made-up ones: those would all end in the same 404."""
    parts = case.path.split("/")
    for before, part in itertools.pairwise(parts):
        if part.startswith("{") and before in there:
            case.path_parameters[part.strip("{}")] = "seven" if part == "{key}" else there[before]


def name_real_room(case: schemathesis.Case, there: dict[str, str]) -> None:
    """Put a room that is there in the place of a made-up one, in about every second request."""
    for place in (case.query, case.body):
        if isinstance(place, dict) and len(place) % 2:
            place["room"] = there["rooms"]
            place.pop("tenant_id", None)
            place.pop("number", None)


def worker_key(there: dict[str, str]) -> str:
    """A platform key, made once per test."""
    if "worker key" not in there:
        with use_public():
            made = create_api_key(tenant=None, name="Worker", scopes=[Permission.WORKER_OPERATE])
        there["worker key"] = made[1]
    return there["worker key"]


_keys: dict[Any, str] = {}


def key_of(tenant: Any, api_key_for: Callable[..., str]) -> str:
    """One key per test; a test asks many times."""
    if api_key_for not in _keys:
        _keys.clear()
        _keys[api_key_for] = api_key_for(tenant)
    return _keys[api_key_for]
