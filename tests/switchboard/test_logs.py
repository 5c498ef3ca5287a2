"""Log lines: no secrets, and no alarm for what is only a refusal."""

from __future__ import annotations

import logging
import sys

import pytest

from switchboard.kernel.request_id import set_request_id
from switchboard.logs import Incidents, add_scope, hide_secrets
from tenants.context import Scope, use_tenant


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("key sb_0123456789ab_abcDEF-_123 was used", "key sb_0123456789ab_*** was used"),
        ("can't reach redis://:hunter2@127.0.0.1:1/0", "can't reach redis://:***@127.0.0.1:1/0"),
        ("can't reach postgres://user:hunter2@db:5432/x", "can't reach postgres://user:***@db:5432/x"),
        ("sent Authorization: Bearer eyJhbGciOi.J9.x", "sent Authorization: Bearer ***"),
    ],
)
def test_secrets_are_masked_wherever_they_stand(line: str, kept: str) -> None:
    assert hide_secrets(None, "info", {"event": line, "detail": line}) == {"event": kept, "detail": kept}


def test_a_line_says_whose_work_it_is_about() -> None:
    with use_tenant(Scope("t_harbour")):
        assert add_scope(None, "info", {"event": "x"})["tenant"] == "t_harbour"
    assert "tenant" not in add_scope(None, "info", {"event": "x"})


def test_a_line_says_for_which_request_it_was_written() -> None:
    assert "request_id" not in add_scope(None, "info", {"event": "x"})
    set_request_id("request-7")
    try:
        assert add_scope(None, "info", {"event": "x"})["request_id"] == "request-7"
    finally:
        set_request_id("")


def record(exc_info: object) -> logging.LogRecord:
    return logging.LogRecord("django.request", logging.ERROR, __file__, 1, "Service Unavailable", (), exc_info)  # type: ignore[arg-type]


def test_a_refusal_is_no_incident_and_a_failure_is() -> None:
    try:
        raise ValueError("unforeseen")
    except ValueError:
        failure = record(sys.exc_info())

    assert not Incidents().filter(record(None))
    assert Incidents().filter(failure)
