"""The one error shape, wherever a refusal comes from."""

import json

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404
from django.test import RequestFactory
from rest_framework import exceptions

from switchboard.kernel.problems import (
    Conflict,
    Invalid,
    NotFound,
    Problem,
    generic_problem,
    page_not_found,
    problem_response,
)
from switchboard.kernel.rest import as_problem


def test_a_problem_is_rfc_9457():
    problem = Invalid("invalid_url", "This is not a URL.", field="base_url")
    response = problem_response(problem)
    assert response.status_code == 422
    assert response["Content-Type"] == "application/problem+json"
    assert json.loads(response.content) == {
        "type": "/problems/invalid_url",
        "title": "Unprocessable Entity",
        "status": 422,
        "code": "invalid_url",
        "detail": "This is not a URL.",
        "errors": [{"field": "base_url", "message": "This is not a URL."}],
    }


def test_headers_go_along():
    response = problem_response(Problem("busy", "Later.", status=503, headers={"Retry-After": "2"}))
    assert response["Retry-After"] == "2"


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_pages_of_django_speak_it_too(status):
    response = generic_problem(status)
    assert (response.status_code, json.loads(response.content)["status"]) == (status, status)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Conflict("agent_exists", "Taken."), 409, "agent_exists"),
        (NotFound("agent"), 404, "not_found"),
        (Http404(), 404, "not_found"),
        (PermissionDenied(), 403, "forbidden"),
        (exceptions.PermissionDenied(), 403, "forbidden"),
        (exceptions.NotAuthenticated(), 401, "not_authenticated"),
        (exceptions.AuthenticationFailed(), 401, "not_authenticated"),
        (exceptions.ParseError(), 400, "parse_error"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (exceptions.UnsupportedMediaType("text/xml"), 415, "unsupported_media_type"),
        (exceptions.Throttled(wait=3.2), 429, "throttled"),
        (RequestDataTooBig(), 413, "too_large"),
        (SuspiciousOperation(), 400, "bad_request"),
    ],
)
def test_every_refusal_becomes_one(error, status, code):
    problem = as_problem(error)
    assert problem is not None
    assert (problem.status, problem.code) == (status, code)


def test_faults_deep_inside_are_named():
    problem = as_problem(exceptions.ValidationError({"a": {"b": ["Wrong."]}, "c": [{}, {"d": ["Bad."]}]}))
    assert problem is not None
    assert problem.errors == [{"field": "a.b", "message": "Wrong."}, {"field": "c.d", "message": "Bad."}]


def test_throttling_says_when_to_come_back():
    problem = as_problem(exceptions.Throttled(wait=3.2))
    assert problem is not None
    assert int(problem.headers["Retry-After"]) >= 3.2


def test_what_nobody_foresaw_is_none():
    assert as_problem(KeyError("x")) is None


@pytest.mark.parametrize(
    ("path", "accept", "kind"),
    [
        ("/nowhere", "text/html,application/xhtml+xml", "text/html"),
        ("/nowhere", "*/*", "application/problem+json"),
        ("/api/v1/nowhere", "text/html", "application/problem+json"),
    ],
)
def test_a_browser_is_shown_a_page_and_a_program_a_problem(path, accept, kind):
    request = RequestFactory().get(path, headers={"Accept": accept})

    answer = page_not_found(request)

    assert (answer.status_code, answer["Content-Type"].partition(";")[0]) == (404, kind)
    assert b"nothing at this address" in answer.content
