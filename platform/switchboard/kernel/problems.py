"""The one error shape: RFC 9457 problem details with a stable `code`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

CONTENT_TYPE = "application/problem+json"


class Problem(Exception):
    """A refusal to be shown to whoever asked.

    Args:
        code: stable, snake_case; programs match on it.
        detail: one sentence for a person: what is wrong and what to do.
        status: the HTTP status.
        headers: sent with the answer, such as `Retry-After` (seconds).
        errors: one entry per wrong field: `{"field", "message"}`.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        status: int = 400,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[Mapping[str, str]] = (),
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.status = status
        self.headers = dict(headers or {})
        self.errors = list(errors)

    def as_dict(self) -> dict[str, Any]:
        """The members of the problem document."""
        document: dict[str, Any] = {
            "type": f"/problems/{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
        }
        if self.errors:
            document["errors"] = self.errors
        return document


class NotFound(Problem):
    """No such thing here; also the answer for what another tenant has."""

    def __init__(self, what: str = "resource") -> None:
        super().__init__("not_found", f"There is no such {what}.", status=404)


class Conflict(Problem):
    """The request is right, but not in this state."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail, status=409)


class Invalid(Problem):
    """A value can't be accepted."""

    def __init__(self, code: str, detail: str, *, field: str = "") -> None:
        errors = [{"field": field, "message": detail}] if field else ()
        super().__init__(code, detail, status=422, errors=errors)


def problem_response(problem: Problem) -> HttpResponse:
    """The problem as an HTTP response."""
    return HttpResponse(
        json.dumps(problem.as_dict()), status=problem.status, content_type=CONTENT_TYPE, headers=problem.headers
    )


# What is under this address speaks OpenAI's protocol, its errors too.
OPENAI_PATHS: Final = "/v1/"


def openai_error(problem: Problem) -> dict[str, Any]:
    """The problem as OpenAI words its errors. What is wrong with several fields is told of the first."""
    first = problem.errors[0] if problem.errors else None
    detail = problem.detail
    if first is not None and problem.code == "invalid":
        detail = f"{first['field']}: {first['message']}"
    return {
        "message": detail,
        "type": _openai_type(problem.status),
        "param": first["field"] if first is not None else None,
        "code": "invalid_api_key" if problem.status == 401 else problem.code,
    }


def openai_response(problem: Problem) -> HttpResponse:
    """The problem as a response of OpenAI's, which knows no 422."""
    status = 400 if problem.status == 422 else problem.status
    return HttpResponse(
        json.dumps({"error": openai_error(problem)}),
        status=status,
        content_type="application/json",
        headers=problem.headers,
    )


# What is under this address speaks tRPC, its errors too.
TRPC_PATHS: Final = "/trpc/"
# What workers elsewhere ask for, whatever address they reach this server by.
WORKER_PATHS: Final = ("/api/v1/worker/", TRPC_PATHS)
# tRPC's own names and numbers (@trpc/server, "rpc/codes.ts"). What isn't here has no name of its own there.
_TRPC: Final[Mapping[int, tuple[str, int]]] = {
    400: ("BAD_REQUEST", -32600),
    401: ("UNAUTHORIZED", -32001),
    403: ("FORBIDDEN", -32003),
    404: ("NOT_FOUND", -32004),
    405: ("METHOD_NOT_SUPPORTED", -32005),
    409: ("CONFLICT", -32009),
    413: ("PAYLOAD_TOO_LARGE", -32013),
    429: ("TOO_MANY_REQUESTS", -32029),
    503: ("SERVICE_UNAVAILABLE", -32603),
}


def trpc_error(problem: Problem, path: str) -> dict[str, Any]:
    """The problem as tRPC words its errors; ours is in its `data`."""
    status = _trpc_status(problem)
    name, number = _TRPC.get(status, ("INTERNAL_SERVER_ERROR", -32603))
    if problem.code == "invalid_json":
        name, number = "PARSE_ERROR", -32700
    data: dict[str, Any] = {"code": name, "httpStatus": status, "path": path, "problem": problem.code}
    if problem.errors:
        data["errors"] = problem.errors
    return {"message": problem.detail, "code": number, "data": data}


def trpc_response(problem: Problem, path: str) -> HttpResponse:
    """The problem as a response of tRPC's, whose inputs are simply bad requests where they can't be accepted.

    Args:
        path: the procedure's name.
    """
    return HttpResponse(
        json.dumps({"error": trpc_error(problem, path)}),
        status=_trpc_status(problem),
        content_type="application/json",
        headers=problem.headers,
    )


def _trpc_status(problem: Problem) -> int:
    return 400 if problem.status == 422 else problem.status


def _openai_type(status: int) -> str:
    if status >= 500:
        return "server_error"
    named = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
    return named.get(status, "invalid_request_error")


_BY_STATUS = {
    400: ("bad_request", "The request can't be read."),
    403: ("forbidden", "You may not do this."),
    404: ("not_found", "There is nothing at this address."),
    500: ("internal_error", "Something went wrong on our side. It was logged; try again."),
}


def refusal(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The problem as whoever asked can read it: a page for a browser that opens one, else problem+json, or OpenAI's
    or tRPC's own shape where that is spoken.
    """
    if request.path.startswith(OPENAI_PATHS):
        return openai_response(problem)
    if request.path.startswith(TRPC_PATHS):
        return trpc_response(problem, request.path.removeprefix(TRPC_PATHS))
    opens_page = request.headers.get("Accept", "").startswith("text/html") and not request.path.startswith("/api/")
    if not opens_page:
        return problem_response(problem)
    page = render_to_string(
        "switchboard/refusal.html", {"title": HTTPStatus(problem.status).phrase, "detail": problem.detail}
    )
    return HttpResponse(page, status=problem.status, headers=problem.headers)


def generic_problem(status: int) -> HttpResponse:
    """The answer where no view could give its own."""
    return problem_response(_generic(status))


def _generic(status: int) -> Problem:
    code, detail = _BY_STATUS[status]
    return Problem(code, detail, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return refusal(request, _generic(400))


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return refusal(request, _generic(403))


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return refusal(request, _generic(404))


def server_error(request: HttpRequest) -> HttpResponse:
    return refusal(request, _generic(500))
