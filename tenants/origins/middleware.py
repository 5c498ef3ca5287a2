"""CORS by tenant: a browser may show a page the API's answers where the tenant allows the page's origin.

Stands before all else, so that refusals can be read too, and a preflight, which brings no key, is answered at once.
Answers never allow credentials: pages of other origins bring a token, never a session's cookie.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from switchboard.kernel.database import OUTAGES
from switchboard.kernel.problems import OPENAI_PATHS
from tenants import directory
from tenants.directory import Entry
from tenants.middleware import normal_host
from tenants.origins.matching import allowed_origins, is_allowed

_PATHS: Final = ("/api/", OPENAI_PATHS)
_METHODS: Final = "GET, HEAD, POST, PATCH, PUT, DELETE, OPTIONS"
_HEADERS: Final = (
    "accept, authorization, content-type, idempotency-key, if-match, last-event-id, "
    "switchboard-key, webhook-id, webhook-timestamp, webhook-signature, x-conversation-id"
)
_EXPOSED: Final = "ETag, Location, Retry-After, Idempotent-Replayed, X-Conversation-Id, X-Request-ID"
_PREFLIGHT_SECONDS: Final = "600"


class CorsMiddleware:
    """Answers preflights, and says on each answer who may read it."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if self.is_async:
            return self._respond(request)
        if not request.path.startswith(_PATHS):
            return self.get_response(request)
        origin, host = _origin(request), normal_host(request.META.get("HTTP_HOST", ""))
        allows, known = False, False
        if origin and host != settings.PLATFORM_HOST:
            try:
                entry = directory.hosts.find(host)
                known = _is_open(entry)
                allows = entry is not None and known and is_allowed(origin, allowed_origins.find(entry.scope))
            except OUTAGES:
                pass  # Whoever answers meets the same, and has words for it.
        if known and _is_preflight(request):
            return _marked(HttpResponse(status=204), origin if allows else "", preflight=True)
        return _marked(self.get_response(request), origin if allows else "")

    async def _respond(self, request: HttpRequest) -> Any:
        if not request.path.startswith(_PATHS):
            return await self.get_response(request)
        origin, host = _origin(request), normal_host(request.META.get("HTTP_HOST", ""))
        allows, known = False, False
        if origin and host != settings.PLATFORM_HOST:
            try:
                entry = await directory.hosts.find_async(host)
                known = _is_open(entry)
                allows = (
                    entry is not None and known and is_allowed(origin, await allowed_origins.find_async(entry.scope))
                )
            except OUTAGES:
                pass
        if known and _is_preflight(request):
            return _marked(HttpResponse(status=204), origin if allows else "", preflight=True)
        return _marked(await self.get_response(request), origin if allows else "")


def _origin(request: HttpRequest) -> str:
    return str(request.META.get("HTTP_ORIGIN", ""))


def _is_open(entry: Entry | None) -> bool:
    """A tenant that is deleted allows nothing; one that is suspended says so to those who may hear it."""
    return entry is not None and not entry.is_deleted and entry.status != "preparing"


def _is_preflight(request: HttpRequest) -> bool:
    return request.method == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in request.META


def _marked(response: Any, origin: str, *, preflight: bool = False) -> Any:
    patch_vary_headers(response, ["Origin"])
    if preflight:
        patch_vary_headers(response, ["Access-Control-Request-Method", "Access-Control-Request-Headers"])
    if not origin:
        return response
    response["Access-Control-Allow-Origin"] = origin
    if preflight:
        response["Access-Control-Allow-Methods"] = _METHODS
        response["Access-Control-Allow-Headers"] = _HEADERS
        response["Access-Control-Max-Age"] = _PREFLIGHT_SECONDS
    else:
        response["Access-Control-Expose-Headers"] = _EXPOSED
    return response
