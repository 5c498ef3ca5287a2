"""Who acts, said for each request of the control plane: the audit trail writes it down with what the request changes.

The data plane changes nothing that is audited. Its requests act as nobody, and its connections are told nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.http import HttpRequest

from switchboard.kernel.client_address import client_address
from switchboard.kernel.database import OUTAGES
from switchboard.kernel.request_id import current_request_id
from switchboard.middleware import is_data_plane
from tenants.actor import Actor, Kind, use_actor
from tenants.context import current_scope


class ActorMiddleware:
    """Stands behind authentication."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if is_data_plane(request.path):
            return self.get_response(request)
        if self.is_async:
            return self._respond(request)
        with use_actor(actor_of(request)):
            return self.get_response(request)

    async def _respond(self, request: HttpRequest) -> Any:
        actor = await sync_to_async(actor_of)(request) if _may_be_a_person(request) else actor_of(request)
        with use_actor(actor):
            return await self.get_response(request)


def actor_of(request: HttpRequest) -> Actor:
    """Whoever a request comes from: an API key, a member of staff, an operator. Nobody known acts as the system."""
    key = getattr(request, "api_key", None)
    if key is not None:
        # A platform key is the operators' own: to a tenant it is one of them.
        return _actor(request, "api_key" if key.tenant else "operator", str(key.key_id), key.name)
    user = _user(request) if _may_be_a_person(request) else None
    if user is None:
        return _actor(request, "system", "", "")
    scope = current_scope()
    kind: Kind = "operator" if scope is None or scope.is_public else "staff"
    return _actor(request, kind, str(user.pk), user.get_username())


def _actor(request: HttpRequest, kind: Kind, identity: str, name: str) -> Actor:
    return Actor(
        kind=kind, id=identity, name=name, request_id=current_request_id(), address=client_address(request.META)
    )


def _may_be_a_person(request: HttpRequest) -> bool:
    """Whether there is a session to look up, which takes the database."""
    return getattr(request, "api_key", None) is None and settings.SESSION_COOKIE_NAME in request.COOKIES


def _user(request: HttpRequest) -> Any:
    try:
        return request.user if request.user.is_authenticated else None
    except OUTAGES:
        return None  # Whoever answers meets the same, and has words for it.
