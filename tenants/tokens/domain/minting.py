"""Tokens for a tenant's end users, minted for its programs."""

from __future__ import annotations

import datetime as dt
import functools
import time
import uuid
from dataclasses import dataclass
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from switchboard.kernel.problems import Invalid
from switchboard.kernel.text import check_text
from tenants.context import tenant_id
from tenants.tokens import keyring
from tenants.tokens.domain.signing_keys import active_key

SHORTEST_SECONDS: Final = 60
DEFAULT_SECONDS: Final = 3600
LONGEST_SECONDS: Final = int(keyring.LONGEST_LIFE.total_seconds())
# The one part that a token's holder plays.
ROLE: Final = "contact"


@dataclass(frozen=True, slots=True)
class Minted:
    """A token and when it ends."""

    token: str
    expires_at: dt.datetime


def mint_token(
    *,
    contact: str,
    session: str = "",
    agent: uuid.UUID | None = None,
    expires_in: int = DEFAULT_SECONDS,
    key_id: uuid.UUID | None = None,
) -> Minted:
    """A token that lets a contact of the tenant in force talk.

    Args:
        contact: the tenant's own name for them: they see the conversations of this name, and no others.
        session: the tenant's own, told back in logs.
        agent: the only agent they may talk with.
        expires_in: seconds.
        key_id: of the API key that asks; once it is revoked, the token holds no more.

    Raises:
        Invalid: a contact or a life that can't be.
    """
    check_text(contact, field="contact", max_bytes=200)
    if not SHORTEST_SECONDS <= expires_in <= LONGEST_SECONDS:
        raise Invalid("invalid_life", f"Give {SHORTEST_SECONDS} to {LONGEST_SECONDS} seconds.", field="expires_in")
    key, now = active_key(), int(time.time())
    tenant = str(tenant_id())
    claims: dict[str, Any] = {
        "iss": keyring.issuer_name(),
        "aud": tenant,
        "sub": contact,
        "tenant": tenant,
        "role": ROLE,
        "iat": now,
        "nbf": now,
        "exp": now + expires_in,
        "jti": str(uuid.uuid4()),
    }
    if session:
        claims["session"] = session
    if agent is not None:
        claims["agent"] = str(agent)
    if key_id is not None:
        claims["key"] = str(key_id)
    token = jwt.encode(claims, _loaded(key.kid, key.private_key), keyring.ALGORITHM, headers={"kid": key.kid})
    return Minted(token, dt.datetime.fromtimestamp(now + expires_in, dt.UTC))


@functools.lru_cache(maxsize=4)
def _loaded(kid: str, pem: str) -> Any:
    # To read a key takes longer than to sign with it.
    return load_pem_private_key(pem.encode(), password=None)
