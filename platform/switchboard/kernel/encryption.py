"""Secrets at rest: a model field that holds ciphertext in the database and plain text in memory."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models

if TYPE_CHECKING:
    _TextField = models.TextField[str, str]
else:
    _TextField = models.TextField


class SecretUnreadable(Exception):
    """No configured key opens a stored secret."""


@functools.cache
def _cipher() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.ENCRYPTION_KEYS])


def encrypt(plain: str) -> str:
    """Encrypt under the newest key."""
    return _cipher().encrypt(plain.encode()).decode()


def decrypt(token: str) -> str:
    """Decrypt under whichever key fits. Raises `SecretUnreadable`."""
    try:
        return _cipher().decrypt(token.encode()).decode()
    except InvalidToken:
        raise SecretUnreadable("A stored secret was encrypted under a key that isn't in ENCRYPTION_KEYS.") from None


def is_newest(token: str) -> bool:
    """Whether the newest key alone opens a stored secret."""
    try:
        Fernet(settings.ENCRYPTION_KEYS[0]).decrypt(token.encode())
    except InvalidToken:
        return False
    return True


def renew(token: str) -> str:
    """The same secret under the newest key. Raises `SecretUnreadable`."""
    return encrypt(decrypt(token))


class EncryptedTextField(_TextField):
    """Text that is encrypted on its way into the database. It can't be searched or sorted by."""

    def get_prep_value(self, value: Any) -> Any:
        return encrypt(value) if value else value

    def from_db_value(self, value: str | None, expression: object, connection: object) -> str | None:
        return decrypt(value) if value else value
