"""The Ninja API object of the data plane, and its error shape."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from conversations.api.callers import NotSignedIn, undeclared
from conversations.api.conversations import router as conversations
from conversations.api.search import router as knowledge_search
from switchboard.kernel.problems import NotFound, Problem, generic_problem, problem_response
from switchboard.kernel.rest import as_problem

logger = logging.getLogger(__name__)

data_plane = NinjaAPI(
    title="Switchboard data plane",
    version="1",
    urls_namespace="data-plane",
    auth=undeclared,
    openapi_url=None,
    docs_url=None,
)
data_plane.add_router("/conversations", conversations, tags=["conversations"])
data_plane.add_router("/search", knowledge_search, tags=["search"])


@data_plane.exception_handler(Problem)
def _problem(request: HttpRequest, error: Problem) -> HttpResponse:
    return problem_response(error)


@data_plane.exception_handler(AuthenticationError)
def _unauthenticated(request: HttpRequest, error: Any) -> HttpResponse:
    return problem_response(NotSignedIn())


@data_plane.exception_handler(Http404)
def _not_found(request: HttpRequest, error: Any) -> HttpResponse:
    return problem_response(NotFound())


@data_plane.exception_handler(HttpError)
def _refused(request: HttpRequest, error: HttpError) -> HttpResponse:
    return problem_response(Problem("bad_request", str(error), status=error.status_code))


@data_plane.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    faults = [
        {
            "field": ".".join(str(part) for part in fault["loc"] if part not in {"body", "payload"}),
            "message": str(fault["msg"]),
        }
        for fault in error.errors
    ]
    return problem_response(Problem("invalid", "Some fields can't be accepted.", status=422, errors=faults))


@data_plane.exception_handler(RequestDataTooBig)
def _too_big(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return problem_response(Problem("too_large", f"The request has more than {limit:,} bytes.", status=413))


@data_plane.exception_handler(DatabaseError)
def _database(request: HttpRequest, error: Exception) -> HttpResponse:
    problem = as_problem(error)
    return problem_response(problem) if problem else _unforeseen(request, error)


@data_plane.exception_handler(Exception)
def _unforeseen(request: HttpRequest, error: Exception) -> HttpResponse:
    logger.error("unhandled error in the data plane", exc_info=error)
    return generic_problem(500)
