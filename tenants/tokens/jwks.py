"""The public keys of tenants' own issuers: fetched through the guard, remembered, and kept while they can't be fetched.

A tenant says where, so what is there is a stranger's: what is read is bounded in time and size, and no private address
is reached.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx2
import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from django.conf import settings

from switchboard.kernel.egress import EgressPolicy, guarded_transport

logger = logging.getLogger(__name__)

# Keys are fetched anew after this, and at a `kid` that isn't known, but never more often than that.
KEPT_SECONDS: Final = 600.0
PAUSE_SECONDS: Final = 5.0
TIMEOUT_SECONDS: Final = 5.0
MOST_BYTES: Final = 256 * 1024
MOST_KEYS: Final = 50
_MOST_ISSUERS: Final = 2_000


@dataclass(slots=True)
class _Known:
    keys: Mapping[tuple[str, str], Any] = field(default_factory=dict)
    fetched: float = float("-inf")
    tried: float = float("-inf")
    fetching: asyncio.Task[None] | None = None


_known: OrderedDict[tuple[str, str], _Known] = OrderedDict()


async def find_key(schema_name: str, url: str, *, kid: str, algorithm: str) -> Any | None:
    """The public key of this name and kind at an address, or None.

    Args:
        schema_name: whose look-up it is: tenants share nothing here, an attempt of one delays no other.
        algorithm: `RS256` or `ES256`; a key serves the one it is made for.
    """
    known = _entry(schema_name, url)
    now = time.monotonic()
    wanted = (kid, algorithm)
    may_ask = known.tried + PAUSE_SECONDS < now
    if wanted not in known.keys:
        if may_ask:
            await _fetch_once(known, url)
    elif may_ask and known.fetched + KEPT_SECONDS < now:
        # What is known serves; nobody waits for what may have been added.
        _begin_fetch(known, url)
    return known.keys.get(wanted)


def forget() -> None:
    """Know no keys any more."""
    _known.clear()


def _entry(schema_name: str, url: str) -> _Known:
    name = (schema_name, url)
    known = _known.setdefault(name, _Known())
    _known.move_to_end(name)
    while len(_known) > _MOST_ISSUERS:
        _known.popitem(last=False)
    return known


async def _fetch_once(known: _Known, url: str) -> None:
    await asyncio.shield(_begin_fetch(known, url))


def _begin_fetch(known: _Known, url: str) -> asyncio.Task[None]:
    """However many ask at once, one asks the issuer."""
    loop = asyncio.get_running_loop()
    task = known.fetching
    if task is None or task.done() or task.get_loop() is not loop:
        task = known.fetching = loop.create_task(_fetch(known, url))
    return task


async def _fetch(known: _Known, url: str) -> None:
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            keys = _read(await _download(url))
    except Exception as error:
        # An issuer that is away, or talks nonsense, takes nothing away from what it has published before.
        logger.warning("the keys of a token issuer can't be fetched: %s", type(error).__name__)
    else:
        known.keys, known.fetched = keys, time.monotonic()
    known.tried = time.monotonic()


async def _download(url: str) -> bytes:
    policy = EgressPolicy(settings.EGRESS_ALLOW)
    # To read the authorities' certificates takes a while: not on the event loop.
    transport = await asyncio.to_thread(guarded_transport, policy, max_connections=1)
    content = bytearray()
    async with (
        httpx2.AsyncClient(transport=transport, timeout=TIMEOUT_SECONDS, follow_redirects=False) as client,
        client.stream("GET", url, headers={"Accept": "application/json"}) as response,
    ):
        if response.status_code != 200:
            raise ValueError("no keys here")
        async for part in response.aiter_bytes():
            content += part
            if len(content) > MOST_BYTES:
                raise ValueError("too large")
    return bytes(content)


def _read(content: bytes) -> dict[tuple[str, str], Any]:
    found: dict[tuple[str, str], Any] = {}
    for jwk in json.loads(content)["keys"][:MOST_KEYS]:
        kid, kind = jwk.get("kid"), jwk.get("kty")
        algorithm = {"RSA": "RS256", "EC": "ES256"}.get(kind)
        if algorithm is None or not isinstance(kid, str) or jwk.get("use", "sig") != "sig":
            continue
        if jwk.get("alg", algorithm) != algorithm:
            continue
        try:
            key = jwt.PyJWK(
                {name: jwk.get(name) for name in ("kty", "n", "e", "crv", "x", "y") if jwk.get(name)}, algorithm
            ).key
        except (jwt.PyJWTError, ValueError, TypeError):
            continue  # one that can't be read hides none of the others
        if _is_strong(key):
            found[kid, algorithm] = key
    return found


def _is_strong(key: Any) -> bool:
    if isinstance(key, RSAPublicKey):
        return 2048 <= key.key_size <= 8192
    return isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)
