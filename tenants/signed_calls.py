"""Calls between systems that are signed instead of carrying a key (Standard Webhooks: standardwebhooks.com).

`Switchboard-Key` names a signing key by its prefix; `webhook-id`, `webhook-timestamp` and `webhook-signature` prove
that the caller has its secret, said exactly this body, and said it now. Each id is taken once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from redis import exceptions
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from switchboard.kernel.database import OUTAGES, DatabaseUnavailable
from switchboard.kernel.memory import Memory
from switchboard.kernel.problems import Problem, refusal
from switchboard.kernel.redis import async_redis, redis_client
from switchboard.middleware import is_data_plane
from tenants import directory
from tenants.context import Scope, use_public
from tenants.directory import KeyEntry
from tenants.domain import api_keys

# Control plane addresses only: the data plane's callers are devices, which carry tokens.
_PATHS: Final = "/api/v1/"
HEADER: Final = "Switchboard-Key"
# The library's own tolerance, both ways.
TOLERANCE_SECONDS: Final = 300
# An id is known for as long as its moment could still be taken for now.
_REMEMBERED_SECONDS: Final = 2 * TOLERANCE_SECONDS + 60
_PREFIX: Final = re.compile(r"[0-9a-f]{12}")
# No dot: it parts the id from the rest of what is signed.
_ID: Final = re.compile(r"[\x21-\x2d\x2f-\x7e]{1,200}")
_MOMENT: Final = re.compile(r"[0-9]{1,12}")
_SIGNATURE: Final = re.compile(r"v1,[A-Za-z0-9+/]{43}=")
_MOST_SIGNATURES: Final = 10


class SignatureRefused(Problem):
    """One answer for all that may be wrong."""

    def __init__(self) -> None:
        super().__init__(
            "invalid_signature",
            "The call isn't signed with this key, its moment is more than 5 minutes off, or it has been made before.",
            status=401,
        )


@dataclass(frozen=True, slots=True)
class SigningEntry:
    """A signing key at the door."""

    key: KeyEntry
    secret: str


@dataclass(frozen=True, slots=True)
class SignedCall:
    """What a call says of itself."""

    prefix: str
    id: str
    headers: Mapping[str, str]


def _find(prefix: str) -> SigningEntry | None:
    with use_public():
        row = api_keys.recognise_signing(prefix)
    return SigningEntry(directory.key_entry(row), row.secret) if row else None


signing_keys: Memory[str, SigningEntry | None] = Memory(_find, seconds=directory.MEMORY_SECONDS)


def read_call(meta: Mapping[str, Any]) -> SignedCall:
    """The headers of a signed call.

    Raises:
        SignatureRefused: they can't be what they should.
    """
    prefix, name = str(meta.get("HTTP_SWITCHBOARD_KEY", "")), str(meta.get("HTTP_WEBHOOK_ID", ""))
    moment, signatures = str(meta.get("HTTP_WEBHOOK_TIMESTAMP", "")), str(meta.get("HTTP_WEBHOOK_SIGNATURE", ""))
    well_formed = [one for one in signatures.split(" ")[:_MOST_SIGNATURES] if _SIGNATURE.fullmatch(one)]
    if not (_PREFIX.fullmatch(prefix) and _ID.fullmatch(name) and _MOMENT.fullmatch(moment) and well_formed):
        raise SignatureRefused
    headers = {"webhook-id": name, "webhook-timestamp": moment, "webhook-signature": " ".join(well_formed)}
    return SignedCall(prefix, name, headers)


def check_signature(call: SignedCall, entry: SigningEntry | None, scope: Scope, body: bytes) -> KeyEntry:
    """Whether a call is signed with a key that speaks here.

    Raises:
        SignatureRefused: it isn't.
    """
    if entry is None or not _speaks_for(entry.key, scope):
        raise SignatureRefused
    try:
        Webhook(entry.secret).verify(body, dict(call.headers), json_parse=False)
    except (WebhookVerificationError, ValueError):
        raise SignatureRefused from None
    return entry.key


def _speaks_for(key: KeyEntry, scope: Scope) -> bool:
    """A tenant's key on a hostname of its own, a platform key on the platform's."""
    if key.tenant is None:
        return scope.is_public
    return key.tenant.scope == scope and key.tenant.is_ready


def _place(key: KeyEntry, call: SignedCall) -> str:
    return f"signed:{key.key_id}:{hashlib.sha256(call.id.encode()).hexdigest()}"


class SignedCallMiddleware:
    """Behind the tenant's door: a call that is signed is its key's, as if it had carried one."""

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
        if _is_signed(request):
            try:
                call = _begin(request)
                key = check_signature(call, signing_keys.find(call.prefix), _tenant_of(request), _body(request))
                _once(redis_client().set(_place(key, call), "1", nx=True, ex=_REMEMBERED_SECONDS))
            except Exception as error:
                return refusal(request, _as_problem(error))
            request.api_key = key  # type: ignore[attr-defined]
        return self.get_response(request)  # type: ignore[no-any-return]

    async def _respond(self, request: HttpRequest) -> HttpResponseBase:
        if _is_signed(request):
            try:
                call = _begin(request)
                entry = await signing_keys.find_async(call.prefix)
                key = check_signature(call, entry, _tenant_of(request), _body(request))
                _once(await async_redis().set(_place(key, call), "1", nx=True, ex=_REMEMBERED_SECONDS))
            except Exception as error:
                return refusal(request, _as_problem(error))
            request.api_key = key  # type: ignore[attr-defined]
        return await self.get_response(request)  # type: ignore[no-any-return]


def _is_signed(request: HttpRequest) -> bool:
    if "HTTP_SWITCHBOARD_KEY" not in request.META or not request.path.startswith(_PATHS):
        return False
    return not is_data_plane(request.path)


def _begin(request: HttpRequest) -> SignedCall:
    if request.META.get("HTTP_AUTHORIZATION"):
        raise Problem("two_credentials", f"Send either {HEADER} or Authorization.", status=400)
    return read_call(request.META)


def _tenant_of(request: HttpRequest) -> Scope:
    scope: Scope = request.tenant  # type: ignore[attr-defined]
    return scope


def _body(request: HttpRequest) -> bytes:
    """The body as it came. Whoever reads it next gets it from memory."""
    try:
        return request.body
    except RequestDataTooBig:
        raise Problem("too_large", "A signed call's body is larger than is taken.", status=413) from None


def _once(taken: object) -> None:
    if not taken:
        raise SignatureRefused


def _as_problem(error: Exception) -> Problem:
    match error:
        case Problem():
            return error
        case exceptions.ConnectionError() | exceptions.TimeoutError():
            # Whether it was made before can't be told: then it isn't made.
            detail = "The call can't be told from a repeated one right now."
            return Problem("unavailable", detail, status=503, headers={"Retry-After": "2"})
        case _ if isinstance(error, OUTAGES):
            return DatabaseUnavailable()
    raise error
