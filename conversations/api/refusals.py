"""How the data plane's APIs refuse: each in its own shape, for the same reasons."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from conversations.api.callers import NotSignedIn
from switchboard.kernel.problems import NotFound, Problem
from switchboard.kernel.rest import as_problem

logger = logging.getLogger(__name__)


def refuse_with(api: NinjaAPI, respond: Callable[[Problem], HttpResponse], *, invalid: int = 422) -> None:
    """Give an API its answers to what goes wrong.

    Args:
        respond: a problem in the API's shape.
        invalid: the status of fields that can't be accepted.
    """

    def as_it_is(request: HttpRequest, error: Any) -> HttpResponse:
        return respond(error)

    def unauthenticated(request: HttpRequest, error: Any) -> HttpResponse:
        return respond(NotSignedIn())

    def not_found(request: HttpRequest, error: Any) -> HttpResponse:
        return respond(NotFound())

    def refused(request: HttpRequest, error: Any) -> HttpResponse:
        return respond(Problem("bad_request", str(error), status=error.status_code))

    def unfit(request: HttpRequest, error: Any) -> HttpResponse:
        faults = [
            {
                "field": ".".join(str(part) for part in fault["loc"] if part not in {"body", "payload"}),
                "message": str(fault["msg"]),
            }
            for fault in error.errors
        ]
        return respond(Problem("invalid", "Some fields can't be accepted.", status=invalid, errors=faults))

    def too_big(request: HttpRequest, error: Any) -> HttpResponse:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        return respond(Problem("too_large", f"The request has more than {limit:,} bytes.", status=413))

    def database(request: HttpRequest, error: Any) -> HttpResponse:
        problem = as_problem(error)
        return respond(problem) if problem else unforeseen(request, error)

    def unforeseen(request: HttpRequest, error: Any) -> HttpResponse:
        logger.error("unhandled error in the data plane", exc_info=error)
        told = "Something went wrong on our side. It was logged; try again."
        return respond(Problem("internal_error", told, status=500))

    handlers: list[tuple[type[Exception], Callable[[HttpRequest, Any], HttpResponse]]] = [
        (Problem, as_it_is),
        (AuthenticationError, unauthenticated),
        (Http404, not_found),
        (HttpError, refused),
        (ValidationError, unfit),
        (RequestDataTooBig, too_big),
        (DatabaseError, database),
        (Exception, unforeseen),
    ]
    for kind, handler in handlers:
        api.add_exception_handler(kind, handler)
