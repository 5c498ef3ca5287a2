"""One id for each request: the caller's own where it has the shape of one."""

import pytest

from switchboard.kernel.request_id import request_id_from


@pytest.mark.parametrize("given", ["0f8fad5b-d9cb-469f-a165-70867728950e", "request.7_b", "a" * 64])
def test_a_callers_id_is_kept(given):
    assert request_id_from(given) == given


@pytest.mark.parametrize(
    "given", [None, "", "short", "a" * 65, "with a space", "line\nbreak", "request-7\n", "<b>bold</b>", "ñandú-ñandú"]
)
def test_what_is_no_id_is_replaced(given):
    made = request_id_from(given)
    assert made != given
    assert request_id_from(made) == made
    assert made != request_id_from(given)
