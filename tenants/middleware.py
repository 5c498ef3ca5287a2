"""The door: which tenant a request is for, by its hostname and its API key or token. There is no default tenant."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final, NamedTuple, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.http.response import HttpResponseBase, StreamingHttpResponse

from switchboard.kernel.database import OUTAGES, DatabaseUnavailable
from switchboard.kernel.problems import OPENAI_PATHS, TRPC_PATHS, WORKER_PATHS, Problem, refusal
from tenants import directory
from tenants.context import PUBLIC, InScope, Scope, use_tenant
from tenants.directory import Entry, KeyEntry
from tenants.domain.api_keys import is_shaped
from tenants.tokens import reading, verification
from tenants.tokens.entries import TokenEntry, TokenRefused

_LONGEST_HOST: Final = 253 + len(":65535")
# Answered on any hostname and in no tenant's name: a load balancer knows only the address, as LiveKit does.
ANY_HOST_PATHS = frozenset({"/healthz", "/readyz", "/webhooks/livekit"})


class Admitted(NamedTuple):
    """Who was let in: whose request it is, and the API key or the token that it came with."""

    scope: Scope
    key: KeyEntry | None = None
    token: TokenEntry | None = None


class UnknownHost(Problem):
    def __init__(self) -> None:
        super().__init__(
            "unknown_host",
            f"No company lives at this address. The operators' admin is at {settings.PLATFORM_HOST}.",
            status=404,
        )


class TenantNotReady(Problem):
    def __init__(self, entry: Entry) -> None:
        if entry.status == "suspended":
            super().__init__("tenant_suspended", "This company's account is suspended.", status=403)
        else:
            super().__init__(
                "tenant_not_ready", "This company is being set up.", status=503, headers={"Retry-After": "2"}
            )


class KeyRefused(Problem):
    def __init__(self) -> None:
        super().__init__(
            "invalid_api_key",
            "The API key is unknown, expired or revoked, or belongs to another hostname.",
            status=401,
            headers={"WWW-Authenticate": 'Bearer realm="switchboard"'},
        )


def normal_host(value: str) -> str:
    """A Host header as the directory knows it: lower case, no port, no final dot."""
    # What is longer than any hostname (RFC 1035 §2.3.4) isn't worth remembering that it is unknown.
    return split_domain_port(value)[0].removesuffix(".") if len(value) <= _LONGEST_HOST else ""


def bearer_of(authorization: str) -> str:
    """The API key or token in an Authorization header, or ""."""
    scheme, _, key = authorization.partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def admit(host: str, host_entry: Entry | None, key: KeyEntry | None, *, key_given: bool) -> Scope:
    """Whose request this is.

    Args:
        host: normalised hostname.
        host_entry: the tenant the hostname leads to, if any.
        key: the recognised API key, if any.
        key_given: whether a key was sent at all.

    Raises:
        Problem: unknown host, refused key, a tenant that isn't ready.
    """
    on_platform = host == settings.PLATFORM_HOST
    if not on_platform and host_entry is None:
        raise UnknownHost
    if key_given and key is None:
        raise KeyRefused
    if key is not None and not _speaks_for(key, host_entry):
        raise KeyRefused
    entry = host_entry or (key.tenant if key else None)
    if entry is None:
        return PUBLIC
    if entry.is_deleted:
        raise KeyRefused if host_entry is None else UnknownHost
    if not entry.is_ready:
        raise TenantNotReady(entry)
    return entry.scope


def _speaks_for(key: KeyEntry, host_entry: Entry | None) -> bool:
    """Whether a key and the hostname agree: a platform key opens nothing of a tenant's, nor a tenant's another's."""
    if key.tenant is None:
        return host_entry is None
    return host_entry is None or key.tenant.scope == host_entry.scope


async def admit_async(host: str, bearer: str) -> Admitted:
    """`admit` with its look-ups, off the event loop where memory doesn't answer.

    Args:
        bearer: an API key or a token, or "".
    """
    host_entry = None if host == settings.PLATFORM_HOST else await directory.hosts.find_async(host)
    if reading.is_shaped(bearer):
        scope = _host_of_token(host, host_entry)
        return Admitted(scope, token=await verification.verify(bearer, scope))
    key_entry = await directory.keys.find_async(bearer) if is_shaped(bearer) else None
    return Admitted(admit(host, host_entry, key_entry, key_given=bool(bearer)), key_entry)


def admit_sync(host: str, bearer: str) -> Admitted:
    """The same for a thread."""
    host_entry = None if host == settings.PLATFORM_HOST else directory.hosts.find(host)
    if reading.is_shaped(bearer):
        scope = _host_of_token(host, host_entry)
        return Admitted(scope, token=verification.verify_sync(bearer, scope))
    key_entry = directory.keys.find(bearer) if is_shaped(bearer) else None
    return Admitted(admit(host, host_entry, key_entry, key_given=bool(bearer)), key_entry)


async def admit_worker_async(bearer: str) -> Admitted:
    """Who asks for what workers need: a key says who, the room that they name says whose, and the hostname nothing, for
    a worker may reach this server by an address that is no company's and no platform's.

    Raises:
        KeyRefused: something was sent that is no key that holds.
    """
    key = await directory.keys.find_async(bearer) if is_shaped(bearer) else None
    if bearer and key is None:
        raise KeyRefused
    return Admitted(PUBLIC, key)


def _admit_worker(bearer: str) -> Admitted:
    key = directory.keys.find(bearer) if is_shaped(bearer) else None
    if bearer and key is None:
        raise KeyRefused
    return Admitted(PUBLIC, key)


def _host_of_token(host: str, host_entry: Entry | None) -> Scope:
    """Whose host a token was brought to. It is judged by that tenant, and never names one by itself."""
    scope = admit(host, host_entry, None, key_given=False)
    if scope.is_public:
        raise TokenRefused
    return scope


class TenantMiddleware:
    """Puts each request in its tenant's scope, its streamed answer too, and chooses the URLs that go with it."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self._respond(request)
        if request.path in ANY_HOST_PATHS:
            admitted = Admitted(PUBLIC)
        else:
            try:
                host, bearer = credentials(request)
                for_worker = request.path.startswith(WORKER_PATHS)
                admitted = _admit_worker(bearer) if for_worker else admit_sync(host, bearer)
            except Problem as problem:
                return refusal(request, problem)
            except OUTAGES:
                return refusal(request, DatabaseUnavailable())
        _prepare(request, admitted)
        with use_tenant(admitted.scope):
            return cast(HttpResponse, self.get_response(request))

    async def _respond(self, request: HttpRequest) -> HttpResponseBase:
        if request.path in ANY_HOST_PATHS:
            admitted = Admitted(PUBLIC)
        else:
            try:
                host, bearer = credentials(request)
                for_worker = request.path.startswith(WORKER_PATHS)
                admitted = await (admit_worker_async(bearer) if for_worker else admit_async(host, bearer))
            except Problem as problem:
                return refusal(request, problem)
            except OUTAGES:
                return refusal(request, DatabaseUnavailable())
        _prepare(request, admitted)
        with use_tenant(admitted.scope):
            response = cast(HttpResponseBase, await self.get_response(request))
        # The data plane passes Django's SecurityMiddleware by; what is said there is for nobody's cache.
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        if request.path.startswith(("/api/", OPENAI_PATHS, TRPC_PATHS)):
            response.headers.setdefault("Cache-Control", "no-store")
        if isinstance(response, StreamingHttpResponse) and response.is_async:
            response.streaming_content = InScope(
                aiter(cast(AsyncIterator[bytes], response.streaming_content)), admitted.scope
            )
        return response


def credentials(request: HttpRequest) -> tuple[str, str]:
    """What `admit_async` judges a request by: its hostname, and its API key or token."""
    return normal_host(request.META.get("HTTP_HOST", "")), bearer_of(request.META.get("HTTP_AUTHORIZATION", ""))


def _prepare(request: HttpRequest, admitted: Admitted) -> None:
    request.tenant = admitted.scope  # type: ignore[attr-defined]
    request.api_key = admitted.key  # type: ignore[attr-defined]
    request.token = admitted.token  # type: ignore[attr-defined]
    if admitted.scope.is_public:
        request.urlconf = settings.PUBLIC_SCHEMA_URLCONF
