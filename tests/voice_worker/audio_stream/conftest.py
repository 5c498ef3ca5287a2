"""A caller with a microphone, on an audio websocket of this process, heard and spoken to by the built-in parts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tenants.models import Tenant
    from tests.conversations.caller import Caller
    from tests.model_server.process import ModelServer


@pytest.fixture
async def web(live_tenants: None) -> AsyncIterator[None]:
    """The web process' work beside its requests, on this test's event loop."""
    from switchboard.kernel import lifespan

    await lifespan.start()
    yield
    await lifespan.stop()


@pytest.fixture
def caller_for(api_key_for: Callable[..., str]) -> Callable[..., Caller]:
    """`caller_for(tenant, **release)`: a program of the tenant with an agent, on the local model by default."""
    from tenants.context import use_tenant
    from tests.asgi_client import AsgiClient
    from tests.conversations.caller import Caller
    from tests.factories import AgentFactory

    def make(tenant: Tenant, **release: Any) -> Caller:
        with use_tenant(tenant):
            agent = AgentFactory.create(**{f"live__{name}": value for name, value in release.items()})
        return Caller(AsgiClient(f"{tenant.slug}.localhost", api_key_for(tenant)), agent)

    return make


@pytest.fixture
async def hotel(
    web: None, harbour: Tenant, caller_for: Callable[..., Caller], speech_url: str, settings: Any
) -> Caller:
    """A program of harbour's, whose agent greets nobody."""
    from switchboard.kernel.database import in_database

    settings.SPEECH_URL = speech_url
    return await in_database(caller_for, harbour, welcome="")


@pytest.fixture
async def talkative(
    web: None, harbour: Tenant, caller_for: Callable[..., Caller], speech_url: str, settings: Any,
    model_server: ModelServer,
) -> Caller:  # fmt: skip
    """The same with an agent whose answers are long."""
    from agents.engine import models
    from switchboard.kernel.database import in_database
    from tenants.context import use_tenant
    from tests.factories import EndpointFactory

    settings.SPEECH_URL = speech_url
    settings.EGRESS_ALLOW = [model_server.url.removeprefix("http://").removesuffix("/v1")]
    models.egress_policy.cache_clear()

    def make() -> Caller:
        with use_tenant(harbour):
            endpoint = EndpointFactory.create(base_url=model_server.url)
        return caller_for(harbour, welcome="", endpoint=endpoint, model="stub-60x5")

    return await in_database(make)
