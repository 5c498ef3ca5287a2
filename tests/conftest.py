"""Servers and tenants for the tests. The settings are the platform's own; only password hashing is made quick.

Two ways to the database: `database` (and all that needs it) rolls back after the test, which is fast and serves code
that runs in the test's own thread. A test that asks for `live_tenants` gets committed data, which other threads,
processes and async views see too; it is emptied afterwards.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from tests.servers import Servers

if TYPE_CHECKING:
    from tenants.models import Tenant

pytest_plugins = [
    "tests.callers",
    "tests.knowledge.fixtures",
    "tests.model_server.fixture",
    "tests.platform_fixture",
    "tests.voice_worker.livekit_server",
    "tests.voice_worker.speech",
    "tests.web_server",
]
# The same examples in every run, however slow the machine is: a change fails because of what it changes. Those who look
# for more take others, with `--hypothesis-profile=default --hypothesis-seed=random`.
settings.register_profile(
    "switchboard", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("switchboard")

_servers = pytest.StashKey[Servers]()
# Each of these has a platform of its own, which is slow to start: one process runs all of the folder's tests.
_TOGETHER = ("e2e", "launcher")
# Sound at the speed of sound, and browsers: on a machine that is busy with something else for a second, words are lost
# that nobody lost. They have two more chances; what is broken fails each time.
_REAL_TIME = ("voice_worker", "e2e")
# What takes minutes begins first: begun last, one process would be alone with it while the others have nothing left.
# Voices and browsers don't begin together, for both are slow beside the other.
_LONG = (
    "e2e",
    "test_schemathesis.py",
    "guards/test_roles.py",
    "generated_client/test_generated_client.py",
    "voice_worker/worker/test_rooms.py",
    "launcher",
    "test_chaos.py",
    "voice_worker/meetings/test_rooms.py",
    "agents/configuration/test_command.py",
    "agents/test_runs.py",
    "test_isolation.py",
    "agents/test_registry_lists_api.py",
    "tenants/test_processes.py",
    "voice_worker",  # much of it waits in real time
)


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("help", False) or config.getoption("version", 0):
        return
    if getattr(config.option, "numprocesses", None):  # the process that only hands tests out
        config.option.loadscopereorder = False  # xdist begins with the groups of the most tests, whatever those take
        return
    servers = config.stash[_servers] = Servers()
    try:
        os.environ.update(servers.start())
        import django

        django.setup()
    except BaseException:
        servers.stop()
        raise


def pytest_unconfigure(config: pytest.Config) -> None:
    servers = config.stash.get(_servers, None)
    if servers is None:
        return
    from django.db import connections

    for connection in connections.all(initialized_only=True):
        connection.close_pool()
    servers.stop()


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    tests = Path(__file__).parent
    for item in items:
        folder = item.path.relative_to(tests).parts[0]
        item.add_marker(pytest.mark.xdist_group(folder if folder in _TOGETHER else str(item.path)))
        if folder in _REAL_TIME:
            item.add_marker(pytest.mark.flaky(reruns=2))
        mark = item.get_closest_marker("django_db")
        names = getattr(item, "fixturenames", ())
        if "transactional_db" in names or (mark and mark.kwargs.get("transaction")):
            raise pytest.UsageError(
                f"{item.nodeid}: Django's flush would empty the tenants' directory; use live_tenants."
            )
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    path = item.path.relative_to(Path(__file__).parent)
    names = (path.parts[0], path.as_posix())
    return next((turn for turn, name in enumerate(_LONG) if name in names), len(_LONG))


@pytest.fixture(scope="session", autouse=True)
def _outermost_scope() -> Iterator[None]:
    """As in manage.py: what acts for no tenant acts in the public schema, and says so."""
    from django.test import override_settings

    from tenants.context import use_public

    with use_public(), override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: Any, _outermost_scope: None) -> None:
    from tests.database import set_up

    with django_db_blocker.unblock():
        set_up()


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    """What a process remembers for a while, one test must not leave to the next."""
    yield
    from agents import releases
    from agents.engine.gateway import breaker
    from switchboard.kernel.redis import redis_client
    from tenants import directory, signed_calls
    from tenants.flags import current
    from tenants.origins.matching import allowed_origins
    from tenants.staff.models import rules
    from tenants.tokens import verification
    from voice_worker.remote import talk, whose

    if redis_client.cache_info().currsize:
        redis_client().flushdb()
    directory.hosts.forget()
    directory.keys.forget()
    rules.forget()
    current.forget()
    current._last_known.clear()
    verification.forget()
    signed_calls.signing_keys.forget()
    allowed_origins.forget()
    releases.releases.forget()
    releases.endpoints.forget()
    breaker.forget()
    whose.forget()
    talk.forget()


@pytest.fixture
def live_tenants(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Committed data, for what runs in other threads or processes; emptied afterwards."""
    from tests.database import clean_up

    with django_db_blocker.unblock():
        yield
        clean_up()


@pytest.fixture
def database(request: pytest.FixtureRequest) -> None:
    """Either way to the database: committed where the test asks for `live_tenants`, else rolled back."""
    request.getfixturevalue("live_tenants" if "live_tenants" in request.fixturenames else "db")


@pytest.fixture
def harbour(database: None) -> Tenant:
    """A tenant at harbour.localhost."""
    from tests.database import HARBOUR, tenant

    return tenant(HARBOUR)


@pytest.fixture
def agency(database: None) -> Tenant:
    """Another tenant, at agency.localhost."""
    from tests.database import AGENCY, tenant

    return tenant(AGENCY)


@pytest.fixture
def in_harbour(harbour: Tenant) -> Iterator[Tenant]:
    """The test runs in harbour's scope."""
    from tenants.context import use_tenant

    with use_tenant(harbour):
        yield harbour
