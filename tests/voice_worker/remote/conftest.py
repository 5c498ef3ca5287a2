from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

# Django's apps are imported inside the fixtures: this file is read before the servers that the settings name are up.
if TYPE_CHECKING:
    from tenants.models import Tenant
    from tests.voice_worker.remote.worker import RemoteWorker, Scene


@pytest.fixture
def worker_key(live_tenants: None) -> str:
    """A platform key that may do what workers do."""
    from tenants.context import use_public
    from tenants.domain.api_keys import create_api_key
    from tenants.permissions import Permission

    with use_public():
        return create_api_key(tenant=None, name="Voice workers", scopes=[Permission.WORKER_OPERATE])[1]


@pytest.fixture
def worker(worker_key: str) -> RemoteWorker:
    """A worker elsewhere, by both doors."""
    from tests.voice_worker.remote.worker import RemoteWorker

    return RemoteWorker(worker_key)


@pytest.fixture(params=["rest", "trpc"])
def ask(request: pytest.FixtureRequest, worker: RemoteWorker) -> Any:
    """`ask(operation, **input)`: by the one door and by the other."""
    return getattr(worker, request.param)


@pytest.fixture
def scene_of(live_tenants: None) -> Callable[..., Scene]:
    """`scene_of(tenant)`: a room of its with a meeting, an agent's session in it, and a document to read."""
    from tests.voice_worker.remote.worker import make_scene

    return make_scene


@pytest.fixture
def scene(harbour: Tenant, scene_of: Callable[..., Scene]) -> Scene:
    """Harbour's room."""
    return scene_of(harbour)
