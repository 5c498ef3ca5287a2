"""Model endpoints: made, changed, removed."""

from __future__ import annotations

import httpx2
from django.db import IntegrityError, transaction

from agents.domain.usage import is_endpoint_used
from agents.models import ModelEndpoint
from agents.providers import OPENAI_COMPATIBLE, address_of
from switchboard.kernel.egress import check_url
from switchboard.kernel.problems import Conflict, Invalid


def create_endpoint(
    *, name: str, base_url: str = "", api_key: str = "", provider: str = OPENAI_COMPATIBLE
) -> ModelEndpoint:
    """A new endpoint. Whether its address may be reached is judged at each request.

    Args:
        base_url: up to and including `/v1`; empty: the provider's own address.
        api_key: stored encrypted; empty: at the provider's own address, the platform's key is used.
        provider: one of `agents.providers.PROVIDERS`.

    Raises:
        Invalid: `invalid_url`; `base_url_needed`, where the provider has no address of its own.
        Conflict: `endpoint_exists`, where the name is taken.
    """
    try:
        with transaction.atomic():
            return ModelEndpoint.objects.create(
                name=name, provider=provider, base_url=checked_address(provider, base_url), api_key=api_key
            )
    except IntegrityError:
        raise _exists(name) from None


def update_endpoint(
    *,
    endpoint: ModelEndpoint,
    name: str,
    base_url: str,
    api_key: str | None = None,
    provider: str | None = None,
) -> None:
    """Change an endpoint; running turns go on with what they began with.

    Args:
        api_key: None keeps the one that is stored, for the server it was given for: a key that nobody may read must
            not be had by leading it elsewhere.
        provider: None leaves it as it is.

    Raises:
        Invalid: `invalid_url`; `base_url_needed`, where the provider has no address of its own;
            `api_key_needed`, where a stored key would go to another server.
        Conflict: `endpoint_exists`, where the name is another's; `endpoint_in_use`, where a version names it.
    """
    provider = provider or endpoint.provider
    fields = {"name": name, "provider": provider, "base_url": checked_address(provider, base_url)}
    if api_key is not None:
        fields["api_key"] = api_key
    try:
        with transaction.atomic():
            stored = ModelEndpoint.objects.select_for_update().get(pk=endpoint.pk)
            if fields["name"] != stored.name and is_endpoint_used(stored.name):
                raise _in_use(stored)
            if api_key is None and stored.api_key and not is_same_server(stored.base_url, fields["base_url"]):
                detail = "The stored API key was given for another server. Enter the key of the new one, or remove it."
                raise Invalid("api_key_needed", detail, field="api_key")
            ModelEndpoint.objects.filter(pk=endpoint.pk).update(**fields)
    except IntegrityError:
        raise _exists(name) from None


def delete_endpoint(*, endpoint: ModelEndpoint) -> None:
    """Remove an endpoint.

    Raises:
        Conflict: `endpoint_in_use`, where a published runtime config names it: versions never change.
    """
    with transaction.atomic():
        stored = ModelEndpoint.objects.select_for_update().get(pk=endpoint.pk)
        if is_endpoint_used(stored.name):
            raise _in_use(stored)
        stored.delete()


def _in_use(endpoint: ModelEndpoint) -> Conflict:
    return Conflict("endpoint_in_use", f"A published runtime config names “{endpoint}”, so it stays.")


def checked_address(provider: str, base_url: str) -> str:
    """An endpoint's address.

    Raises:
        Invalid: `invalid_url`; `base_url_needed`, where none was given and the provider has none of its own.
    """
    address = address_of(provider, base_url)
    if not address:
        raise Invalid("base_url_needed", "Give the address of the server.", field="base_url")
    return check_url(address, field="base_url")


def is_same_server(one: str, other: str) -> bool:
    """Whether two addresses lead to the same scheme, host and port: a key given for one may go to the other."""
    return _server(one) == _server(other)


def _server(base_url: str) -> tuple[str, str, int | None]:
    """Who would be sent the key: scheme, host and port."""
    url = httpx2.URL(base_url)
    return url.scheme, url.host, url.port


def _exists(name: str) -> Conflict:
    return Conflict("endpoint_exists", f"There is an endpoint named {name} already.")
