"""Whether a token holds, and for whom: asked at the door of every request that brings one.

What was found is remembered for a moment, by the token's hash; so a stream of requests costs one look at a signature
(about 0.1 ms, on the event loop) every few seconds, and no query at all.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final

import jwt
from asgiref.sync import async_to_sync

from switchboard.kernel.memory import Memory
from tenants.context import Scope, use_tenant
from tenants.tokens import jwks, keyring
from tenants.tokens.domain.minting import ROLE
from tenants.tokens.entries import TokenEntry, TokenRefused
from tenants.tokens.models import TokenIssuer
from tenants.tokens.reading import Unverified, read

MEMORY_SECONDS: Final = 2.0
LONGEST_CONTACT: Final = 200
_MOST_REMEMBERED: Final = 10_000
_MALFORMED: Final = (jwt.PyJWTError, ValueError, TypeError, OverflowError)

_verified: OrderedDict[tuple[str, bytes], tuple[float, TokenEntry]] = OrderedDict()


def _load_issuers(scope: Scope) -> dict[str, TokenIssuer]:
    with use_tenant(scope):
        return {row.issuer: row for row in TokenIssuer.objects.filter(enabled=True)}


issuers: Memory[Scope, dict[str, TokenIssuer]] = Memory(_load_issuers, seconds=MEMORY_SECONDS)


def forget() -> None:
    """Remember nothing any more."""
    _verified.clear()
    issuers.forget()
    keyring.forget()
    jwks.forget()


async def verify(token: str, scope: Scope) -> TokenEntry:
    """The contact that a token stands for, at a tenant.

    Raises:
        TokenRefused: it doesn't hold here, or not any more.
    """
    name = (scope.schema_name, hashlib.sha256(token.encode()).digest())
    known = _verified.get(name)
    if known is not None and known[0] > time.monotonic() and _lives(known[1]):
        return known[1]
    unverified = read(token)
    if unverified.claims.get("iss") == keyring.issuer_name():
        entry = await _our_own(token, unverified, scope)
    else:
        entry = await _the_tenants(token, unverified, scope)
    _verified[name] = (time.monotonic() + MEMORY_SECONDS, entry)
    _verified.move_to_end(name)
    while len(_verified) > _MOST_REMEMBERED:
        _verified.popitem(last=False)
    return entry


def verify_sync(token: str, scope: Scope) -> TokenEntry:
    """The same for a thread: what the database has to say is asked in this thread first."""
    claims = read(token).claims
    if claims.get("iss") == keyring.issuer_name():
        keyring.keys.find("")
        key_id = _uuid(claims.get("key"))
        if key_id is not None:
            keyring.revoked_api_keys.find(key_id)
    else:
        issuers.find(scope)
    return async_to_sync(verify)(token, scope)


def _lives(entry: TokenEntry) -> bool:
    return time.time() < entry.expires + keyring.LEEWAY_SECONDS


async def _our_own(token: str, unverified: Unverified, scope: Scope) -> TokenEntry:
    keys = await keyring.keys.find_async("")
    if unverified.kid not in keys and keyring.may_look_again():
        # Made a moment ago, perhaps; made-up names cost a query every half second at most.
        keyring.keys.forget()
        keys = await keyring.keys.find_async("")
    tenant = str(scope.tenant_id)
    claims = _decoded(
        token,
        keys.get(unverified.kid),
        [keyring.ALGORITHM],
        issuer=keyring.issuer_name(),
        audience=tenant,
        required=("iss", "aud", "sub", "iat", "exp", "jti"),
    )
    if claims.get("tenant") != tenant or claims.get("role") != ROLE:
        raise TokenRefused
    key_id = _uuid(claims.get("key"))
    if key_id is not None and await keyring.revoked_api_keys.find_async(key_id):
        raise TokenRefused
    return TokenEntry(
        contact=_contact(claims["sub"]),
        expires=float(claims["exp"]),
        session=str(claims.get("session", ""))[:LONGEST_CONTACT],
        agent=_uuid(claims.get("agent")),
        key_id=key_id,
    )


async def _the_tenants(token: str, unverified: Unverified, scope: Scope) -> TokenEntry:
    name = unverified.claims.get("iss")
    row = (await issuers.find_async(scope)).get(name) if isinstance(name, str) else None
    if row is None or unverified.algorithm not in row.algorithms:
        raise TokenRefused
    algorithm = unverified.algorithm
    key = await jwks.find_key(scope.schema_name, row.jwks_url, kid=unverified.kid, algorithm=algorithm)
    by_aud = row.audience_claim == TokenIssuer.AudienceClaim.AUD
    claims = _decoded(
        token,
        key,
        [algorithm],
        issuer=row.issuer,
        audience=row.audience if by_aud else None,
        required=("iss", "exp", *(["aud"] if by_aud else [])),
    )
    if not by_aud and claims.get(row.audience_claim) != row.audience:
        raise TokenRefused
    if row.tenant_claim and claims.get(row.tenant_claim) != row.tenant_value:
        raise TokenRefused
    if row.groups_claim:
        groups = claims.get(row.groups_claim)
        if not isinstance(groups, list) or row.required_group not in groups:
            raise TokenRefused
    session = claims.get(row.session_claim, "") if row.session_claim else ""
    return TokenEntry(
        contact=_contact(claims.get(row.contact_claim), prefix=row.contact_prefix),
        expires=float(claims["exp"]),
        issuer=row.issuer,
        session=str(session)[:LONGEST_CONTACT],
    )


def _decoded(
    token: str, key: Any, algorithms: list[str], *, issuer: str, audience: str | None, required: Sequence[str]
) -> dict[str, Any]:
    if key is None:
        raise TokenRefused
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=algorithms,
            issuer=issuer,
            audience=audience,
            leeway=keyring.LEEWAY_SECONDS,
            options={"require": list(required), "verify_aud": audience is not None},
        )
    except _MALFORMED:
        raise TokenRefused from None
    return claims


def _contact(value: object, *, prefix: str = "") -> str:
    """The contact's name. Nobody may be nobody: conversations without a contact belong to no token."""
    if not isinstance(value, str) or not value.strip() or "\x00" in value:
        raise TokenRefused
    contact = f"{prefix}{value}"
    if len(contact) > LONGEST_CONTACT or not contact.isprintable():
        raise TokenRefused
    return contact


def _uuid(value: object) -> uuid.UUID | None:
    if value is None:
        return None
    try:
        return uuid.UUID(str(value))
    except ValueError:
        raise TokenRefused from None
