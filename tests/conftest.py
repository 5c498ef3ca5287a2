"""Servers, tenants and callers for the tests. The settings are the platform's own; only password hashing is made quick.

Two ways to the database: `database` (and all that needs it) rolls back after the test, which is fast and serves code
that runs in the test's own thread. A test that asks for `live_tenants` gets committed data, which other threads,
processes and async views see too; it is emptied afterwards.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.servers import Servers

if TYPE_CHECKING:
    from django.test import Client
    from rest_framework.test import APIClient

    from tenants.models import Tenant
    from tenants.staff.models import User

pytest_plugins = ["tests.model_server.fixture", "tests.platform_fixture"]
_servers = pytest.StashKey[Servers]()


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("help", False) or config.getoption("version", 0):
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        mark = item.get_closest_marker("django_db")
        names = getattr(item, "fixturenames", ())
        if "transactional_db" in names or (mark and mark.kwargs.get("transaction")):
            raise pytest.UsageError(
                f"{item.nodeid}: Django's flush would empty the tenants' directory; use live_tenants."
            )


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
    from switchboard.kernel.redis import redis_client
    from tenants import directory

    if redis_client.cache_info().currsize:
        redis_client().flushdb()
    directory.hosts.forget()
    directory.keys.forget()
    releases.releases.forget()
    releases.endpoints.forget()


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


@pytest.fixture
def staff_of(database: None) -> Callable[..., User]:
    """`staff_of(tenant, **fields)`: a member of its staff, an administrator unless the fields say otherwise."""
    from tenants.context import use_tenant
    from tests.factories import UserFactory

    def make(tenant: Tenant, **fields: Any) -> User:
        with use_tenant(tenant):
            user: User = UserFactory.create(**fields)
            return user

    return make


@pytest.fixture
def client_for(staff_of: Callable[..., User]) -> Callable[..., Client]:
    """`client_for(tenant, user=None)`: a browser on the tenant's host, signed in as a member of its staff."""
    from django.test import Client

    from tenants.context import use_tenant

    def make(tenant: Tenant, user: User | None = None) -> Client:
        client = Client(HTTP_HOST=host_of(tenant))
        user = user or staff_of(tenant)
        with use_tenant(tenant):
            client.force_login(user)
        return client

    return make


@pytest.fixture
def api_key_for(database: None) -> Callable[..., str]:
    """`api_key_for(tenant)`: the text of a new key."""
    from tenants.context import use_public
    from tenants.domain.api_keys import create_api_key

    def make(tenant: Tenant, name: str = "tests") -> str:
        with use_public():
            return create_api_key(tenant=tenant, name=name)[1]

    return make


@pytest.fixture
def api(api_key_for: Callable[..., str]) -> Callable[..., APIClient]:
    """`api(tenant)`: a program that calls the tenant's API with a key; its bodies are JSON."""
    from rest_framework.test import APIClient

    def make(tenant: Tenant) -> APIClient:
        return APIClient(HTTP_HOST=host_of(tenant), HTTP_AUTHORIZATION=f"Bearer {api_key_for(tenant)}")

    return make


@pytest.fixture
def sample_pdf() -> Callable[..., bytes]:
    """`sample_pdf(pages=["text of page 1", …])`: the bytes of a PDF."""
    from tests.knowledge.pdfs import typeset

    def make(pages: list[str] | tuple[str, ...] = ("Breakfast is served from 7 to 11.",)) -> bytes:
        return typeset(*pages)

    return make


@pytest.fixture(scope="session")
def embedder() -> Iterator[str]:
    """The real embedder, at the address that the settings name; its graph is kept between runs."""
    from tests.knowledge.embedder_process import running_embedder

    with running_embedder(urlsplit(os.environ["EMBEDDINGS_URL"]).port) as (url, _):
        yield url


def host_of(tenant: Tenant) -> str:
    """The hostname of one of the tests' tenants."""
    return f"{tenant.slug}.localhost"
