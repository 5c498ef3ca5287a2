"""Identifiers: version 7, in the order of their making, never the same."""

import time
import uuid

from switchboard.kernel.ids import uuid7


def test_an_id_is_a_version_7_uuid_of_this_moment():
    before = time.time_ns() // 1_000_000
    made = uuid7()
    after = time.time_ns() // 1_000_000
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert before <= made.int >> 80 <= after


def test_later_ids_sort_after_earlier_ones():
    first = uuid7()
    time.sleep(0.002)
    assert str(first) < str(uuid7())


def test_ids_do_not_repeat():
    assert len({uuid7() for _ in range(20_000)}) == 20_000
