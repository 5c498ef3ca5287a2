from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

import pytest

# Django's apps are imported inside the fixtures: this file is read before the servers that the settings name are up.
if TYPE_CHECKING:
    from tenants.models import Tenant
    from tests.conversations.caller import Caller


@pytest.fixture
async def web(live_tenants: None) -> AsyncIterator[None]:
    """The web process' work beside its requests, on this test's event loop."""
    from switchboard.kernel import lifespan

    await lifespan.start()
    yield
    await lifespan.stop()


@pytest.fixture
def caller_for(api_key_for: Callable[..., str]) -> Callable[..., Caller]:
    """`caller_for(tenant, **release)`: a program of the tenant with an agent, on the local model unless said
    otherwise.
    """

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
async def hotel(web: None, harbour: Tenant, caller_for: Callable[..., Caller]) -> Caller:
    """A program of harbour's."""
    from switchboard.kernel.database import in_database

    return await in_database(caller_for, harbour)


@pytest.fixture
async def estate_agency(web: None, agency: Tenant, caller_for: Callable[..., Caller]) -> Caller:
    """A program of agency's."""
    from switchboard.kernel.database import in_database

    return await in_database(caller_for, agency)
