"""Guessing has an end: attempts are counted in Redis for the account and for the address they come from.

An attempt is counted before it is judged, so that many at once gain nothing. What nobody signs in as is counted and
refused like what somebody does.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from redis.exceptions import RedisError

from switchboard.kernel.problems import Problem
from switchboard.kernel.redis import redis_client
from tenants.context import TenantNotSet, current_scope

logger = logging.getLogger(__name__)

# Counts one more. The last attempt that is let through starts the time anew: the lock is as long as it says.
_COUNT: Final = """
local count = redis.call('INCR', KEYS[1])
if count == 1 or count == tonumber(ARGV[1]) then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
return count
"""

_CODE_SECONDS: Final = 120


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to sign in, under way."""

    account_key: str
    address_key: str

    def succeeded(self) -> None:
        """The account's failures are forgotten, and the address isn't charged for this one."""
        client = redis_client()
        client.delete(self.account_key)
        if self.address_key:
            client.decr(self.address_key)


class TooManyAttempts(Problem):
    def __init__(self) -> None:
        minutes = settings.LOGIN_LOCK_SECONDS // 60
        super().__init__(
            "too_many_attempts",
            f"Too many attempts. Wait {minutes} minutes, or reset the password.",
            status=429,
            headers={"Retry-After": str(settings.LOGIN_LOCK_SECONDS)},
        )


def begin_attempt(*, account: str, address: str, what: str = "password") -> Attempt:
    """Count an attempt.

    Args:
        account: what was typed as the name; nobody need have it.
        address: the client's network address.
        what: is being guessed; a password and a code are counted apart.

    Raises:
        TooManyAttempts: for the account or the address.
        Problem: 503, where nobody can count.
    """
    attempt = Attempt(_key(what, "account", account.strip().casefold()), _key(what, "address", address))
    try:
        count = redis_client().register_script(_COUNT)
        seconds = settings.LOGIN_LOCK_SECONDS
        by_account = int(count(keys=[attempt.account_key], args=[settings.LOGIN_ATTEMPTS, seconds]))
        by_address = int(count(keys=[attempt.address_key], args=[settings.LOGIN_ATTEMPTS_PER_ADDRESS, seconds]))
    except RedisError as error:
        raise Problem("sign_in_unavailable", "Nobody can sign in for a moment. Try again.", status=503) from error
    if by_account > settings.LOGIN_ATTEMPTS or by_address > settings.LOGIN_ATTEMPTS_PER_ADDRESS:
        logger.warning("sign-in locked: %s attempts for the account, %s from %s", by_account, by_address, address)
        raise TooManyAttempts
    return attempt


def forgive(account: str, *, what: str = "password") -> None:
    """Forget an account's failures: whoever has just proved otherwise who they are may try again."""
    redis_client().delete(_key(what, "account", account.strip().casefold()))


def first_use(*, account: str, value: str) -> bool:
    """Whether a code is used for the first time; it is used from now on."""
    return bool(redis_client().set(_key("used", account, value), 1, nx=True, ex=_CODE_SECONDS))


def _key(what: str, kind: str, value: str) -> str:
    scope = current_scope()
    if scope is None:
        raise TenantNotSet("An attempt to sign in belongs to a tenant or to the platform.")
    digest = hashlib.sha256(value.encode()).hexdigest()[:32]
    return f"signin:{scope.schema_name}:{what}:{kind}:{digest}"
