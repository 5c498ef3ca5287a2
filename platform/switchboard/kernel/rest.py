"""DRF speaks problem+json too."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpResponse
from rest_framework import exceptions

from switchboard.kernel.database import DatabaseUnavailable
from switchboard.kernel.problems import NotFound, Problem, problem_response

logger = logging.getLogger(__name__)


def problem_handler(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """DRF's EXCEPTION_HANDLER: every refusal in the one shape; None (a 500) for what nobody foresaw."""
    problem = as_problem(error)
    return problem_response(problem) if problem else None


def as_problem(error: Exception) -> Problem | None:
    """The problem that an exception of Django's or DRF's amounts to."""
    match error:
        case Problem():
            return error
        case Http404():
            return NotFound()
        case PermissionDenied() | exceptions.PermissionDenied():
            return Problem("forbidden", str(error) or "You may not do this.", status=403)
        case exceptions.ValidationError():
            faults = list(_faults(error.detail))
            return Problem("invalid", "Some fields can't be accepted.", status=422, errors=faults)
        case exceptions.NotAuthenticated() | exceptions.AuthenticationFailed():
            header = getattr(error, "auth_header", "Bearer")
            return Problem("not_authenticated", str(error.detail), status=401, headers={"WWW-Authenticate": header})
        case exceptions.Throttled():
            seconds = str(math.ceil(getattr(error, "wait", None) or 1))
            return Problem("throttled", str(error.detail), status=429, headers={"Retry-After": seconds})
        case RequestDataTooBig():
            return Problem("too_large", "The body is too large.", status=413)
        case SuspiciousOperation():
            return Problem("bad_request", "The request can't be read.", status=400)
        case DataError():
            # The last net under the fields' own checks. PostgreSQL's words quote the value, so they aren't logged.
            logger.warning("a request was refused, for the database can't hold a value of it")
            return Problem("invalid_value", "A value can't be stored or compared as it is.", status=422)
        case OperationalError() | InterfaceError():
            logger.warning("a request was refused, for the database is away: %s", str(error).partition("\n")[0])
            return DatabaseUnavailable()
        case exceptions.APIException():
            return Problem(str(error.default_code), str(error.detail), status=error.status_code)
    return None


def _faults(detail: Any, field: str = "") -> Iterator[dict[str, str]]:
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from _faults(inner, f"{field}.{name}" if field else str(name))
    elif isinstance(detail, list):
        for inner in detail:
            yield from _faults(inner, field)
    else:
        yield {"field": field, "message": str(detail)}
