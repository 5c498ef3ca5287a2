"""The keys that sign the platform's tokens: one signs, the next one is known already, the last ones are still believed.

A rotation makes the next key the active one. Everybody has known it since the rotation before, so nobody is refused;
and the tokens that the old one signed are believed until the last of them has expired.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.db import connection, transaction
from django.utils import timezone
from jwt.algorithms import RSAAlgorithm

from switchboard.kernel.problems import Conflict
from tenants.context import use_public
from tenants.models import SigningKey
from tenants.tokens import keyring

# How long others may remember what is published: a key is known for as long before it signs.
PUBLISHED_SECONDS: Final = 300
_BITS: Final = 2048
# Any fixed number: who holds it changes signing keys.
_LOCK: Final = 4_711_002


def active_key() -> SigningKey:
    """The key that signs now; it and the next one are made where there is none yet."""
    with use_public():
        row = SigningKey.objects.filter(state=SigningKey.State.ACTIVE).first()
        if row is not None:
            return row
        with transaction.atomic():
            _lock()
            row = SigningKey.objects.filter(state=SigningKey.State.ACTIVE).first()
            if row is None:
                row = _make(SigningKey.State.ACTIVE)
                if not SigningKey.objects.filter(state=SigningKey.State.NEXT).exists():
                    _make(SigningKey.State.NEXT)
        keyring.forget()
        return row


def rotate_signing_key(*, at_once: bool = False) -> SigningKey:
    """Let the next key sign, and make another one to come after it.

    Args:
        at_once: even where others may not know the next key yet.

    Raises:
        Conflict: `signing_key_unknown`, where the next key is younger than what others remember.
    """
    active_key()
    with use_public(), transaction.atomic():
        _lock()
        now = timezone.now()
        old = SigningKey.objects.get(state=SigningKey.State.ACTIVE)
        new = SigningKey.objects.get(state=SigningKey.State.NEXT)
        if not at_once and new.created_at > now - dt.timedelta(seconds=PUBLISHED_SECONDS):
            raise Conflict(
                "signing_key_unknown",
                f"The next key was published less than {PUBLISHED_SECONDS} seconds ago; who reads it may not know it.",
            )
        SigningKey.objects.filter(pk=old.pk).update(state=SigningKey.State.RETIRED, retired_at=now)
        SigningKey.objects.filter(pk=new.pk).update(state=SigningKey.State.ACTIVE, activated_at=now)
        _make(SigningKey.State.NEXT)
        gone = now - keyring.LONGEST_LIFE - dt.timedelta(days=1)
        SigningKey.objects.filter(state=SigningKey.State.RETIRED, retired_at__lt=gone).delete()
        new.refresh_from_db()
    keyring.forget()
    return new


def revoke_signing_key(*, kid: str) -> None:
    """Believe a key no more, for it has leaked: every token that it signed is refused within seconds.

    The active key is rotated first.

    Raises:
        Conflict: `unknown_signing_key`.
    """
    with use_public():
        row = SigningKey.objects.filter(kid=kid).first()
        if row is None:
            raise Conflict("unknown_signing_key", "There is no such key.")
        if row.state != SigningKey.State.RETIRED:
            rotate_signing_key(at_once=True)
            if row.state == SigningKey.State.NEXT:
                rotate_signing_key(at_once=True)
        SigningKey.objects.filter(pk=row.pk).update(revoked_at=timezone.now())
    keyring.forget()


def _make(state: str) -> SigningKey:
    key = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    kid = secrets.token_hex(8)
    numbers = json.loads(RSAAlgorithm.to_jwk(key.public_key()))
    jwk = {"kty": "RSA", "use": "sig", "alg": keyring.ALGORITHM, "kid": kid, "n": numbers["n"], "e": numbers["e"]}
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    now = timezone.now()
    return SigningKey.objects.create(
        kid=kid,
        private_key=pem,
        public_jwk=jwk,
        state=state,
        activated_at=now if state == SigningKey.State.ACTIVE else None,
    )


def _lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
