"""The watch over leases takes nobody for dead who could renew nothing because the database was away."""

from __future__ import annotations

from tenants.domain import leases
from tenants.recovery import Patience


class Clock:
    """Moves when it is told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_whoever_outlived_an_outage_of_the_database_gets_the_time_to_renew() -> None:
    clock = Clock()
    patience = Patience(clock)

    patience.asks()
    clock.now += 0.1
    assert patience.answered()

    patience.asks()
    clock.now += leases.LEASE_SECONDS + 1  # one question that waits until the database is back
    assert not patience.answered()
    clock.now += leases.LEASE_SECONDS - 1
    patience.asks()
    assert not patience.answered()
    clock.now += 2
    patience.asks()
    assert patience.answered()


def test_questions_that_fail_are_an_outage_as_long_as_all_of_them() -> None:
    clock = Clock()
    patience = Patience(clock)

    for _ in range(3):
        patience.asks()
        clock.now += leases.RENEW_SECONDS - 1
    assert not patience.answered()


def test_one_that_answers_at_once_is_no_outage() -> None:
    clock = Clock()
    patience = Patience(clock)

    for _ in range(5):
        patience.asks()
        assert patience.answered()
        clock.now += 3 * leases.LEASE_SECONDS  # others were seen to meanwhile
