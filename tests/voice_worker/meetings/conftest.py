from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

import pytest

# Django's apps are imported inside the fixtures: this file is read before the servers that the settings name are up.
if TYPE_CHECKING:
    from pytest_django.fixtures import SettingsWrapper

    from tenants.models import Tenant
    from tests.asgi_client import AsgiClient
    from tests.conversations.caller import Caller
    from tests.voice_worker.livekit_server import LiveKitServer


@pytest.fixture
def rooms(livekit: LiveKitServer, settings: SettingsWrapper) -> LiveKitServer:
    """The platform has the tests' LiveKit server."""
    for name, value in livekit.environment().items():
        setattr(settings, name, value)
    settings.LIVEKIT_PUBLIC_URL = livekit.url
    return livekit


@pytest.fixture
async def web(live_tenants: None) -> AsyncIterator[None]:
    """The web process' work beside its requests, on this test's event loop."""
    from switchboard.kernel import lifespan

    await lifespan.start()
    yield
    await lifespan.stop()


@pytest.fixture
async def hotel(web: None, harbour: Tenant, api_key_for: Callable[..., str]) -> Caller:
    """A program of harbour's, with an agent."""
    return await _caller(harbour, api_key_for)


@pytest.fixture
async def estate_agency(web: None, agency: Tenant, api_key_for: Callable[..., str]) -> Caller:
    """A program of agency's, with an agent."""
    return await _caller(agency, api_key_for)


async def _caller(tenant: Tenant, api_key_for: Callable[..., str]) -> Caller:
    from switchboard.kernel.database import in_database
    from tenants.context import use_tenant
    from tests.asgi_client import AsgiClient
    from tests.conversations.caller import Caller
    from tests.factories import AgentFactory

    def make() -> Caller:
        with use_tenant(tenant):
            agent = AgentFactory.create()
        return Caller(AsgiClient(f"{tenant.slug}.localhost", api_key_for(tenant)), agent)

    return await in_database(make)


@pytest.fixture
def contact(hotel: Caller, harbour: Tenant) -> Callable[..., Any]:
    """`await contact(name, **more)`: a contact of harbour's with a token, on a device of their own."""
    from switchboard.kernel.database import in_database
    from tenants.context import use_tenant
    from tenants.tokens.domain.minting import mint_token
    from tests.asgi_client import AsgiClient

    def mint(name: str, **more: Any) -> str:
        with use_tenant(harbour):
            return mint_token(contact=name, **more).token

    async def make(name: str, **more: Any) -> AsgiClient:
        return AsgiClient("harbour.localhost", await in_database(mint, name, **more))

    return make
