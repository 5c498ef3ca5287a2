"""Identifiers: version 7, in the order of their making, never the same."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from switchboard.kernel import ids
from switchboard.kernel.ids import uuid7


def test_an_id_is_a_version_7_uuid_of_this_moment():
    before = time.time_ns() // 1_000_000
    made = uuid7()
    after = time.time_ns() // 1_000_000
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert before <= made.int >> 80 <= after


def test_ids_sort_in_the_order_of_their_making_within_a_millisecond_too():
    made = [str(uuid7()) for _ in range(20_000)]
    assert made == sorted(made)


def test_a_clock_that_is_set_back_a_little_puts_nothing_before_what_was_there(monkeypatch):
    first = uuid7()
    a_second_ago = time.time_ns() - 10**9
    monkeypatch.setattr(ids.time, "time_ns", lambda: a_second_ago)
    assert str(first) < str(uuid7()) < str(uuid7())


def test_a_clock_that_was_far_ahead_is_not_followed_for_ever(monkeypatch):
    with monkeypatch.context() as tomorrow:
        tomorrow.setattr(ids.time, "time_ns", lambda: 2**61)
        uuid7()
    assert uuid7().int >> 80 <= time.time_ns() // 1_000_000


def test_an_id_may_be_dated_earlier():
    assert str(uuid7(earlier=2)) < str(uuid7(earlier=1)) < str(uuid7())


def test_ids_do_not_repeat_nor_tell_the_next():
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: uuid7(), range(20_000)))
    assert len(set(made)) == 20_000
    assert len({one.int & (1 << 62) - 1 for one in made}) == 20_000
