"""Who calls in the tests: people with a browser, programs with a key. Made known by `pytest_plugins` in conftest.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

# Django's apps are imported inside the fixtures: this file is read before the servers that the settings name are up.
if TYPE_CHECKING:
    from django.test import Client
    from rest_framework.test import APIClient

    from tenants.models import Tenant
    from tenants.staff.models import User


@pytest.fixture
def staff_of(database: None) -> Callable[..., User]:
    """`staff_of(tenant, **fields)`: a member of its staff, an owner unless the fields say otherwise."""
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
def staff(in_harbour: Tenant, client_for: Callable[..., Client]) -> Client:
    """A browser on harbour's host, signed in as one of its owners; the test runs in harbour's scope."""
    return client_for(in_harbour)


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
def caller(api: Callable[..., APIClient], harbour: Tenant) -> APIClient:
    """A program of harbour's."""
    return api(harbour)


def host_of(tenant: Tenant) -> str:
    """The hostname of one of the tests' tenants."""
    return f"{tenant.slug}.localhost"
