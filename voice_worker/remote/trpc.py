"""The six operations in tRPC's shape (trpc.io, "HTTP RPC Specification"), for workers that were written for it.

Queries are GETs with `?input={"json":{…}}`, mutations POSTs of `{"json":{…}}`. Answers are `{"result":{"data":{…}}}`,
with no `json` around the data; names are camelCase. One call a request: batches are refused.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from pydantic import BaseModel, ValidationError
from pydantic.alias_generators import to_camel

from conversations.api.callers import asks
from switchboard.kernel.problems import Invalid, Problem, trpc_response
from switchboard.kernel.rest import as_problem
from tenants.permissions import Permission
from voice_worker.remote import operations, schemas
from voice_worker.remote.naming import as_camel, from_camel

logger = logging.getLogger(__name__)

_MOST_BYTES: Final = 65_536
_admitted = asks(Permission.WORKER_OPERATE)


@dataclass(frozen=True, slots=True)
class Procedure:
    """What a path stands for."""

    kind: Literal["query", "mutation"]
    input: type[BaseModel]
    carry_out: Callable[[Any], Awaitable[BaseModel]]
    # A part of the answer that is the data, where that is no object.
    part: str = ""

    @property
    def method(self) -> str:
        return "GET" if self.kind == "query" else "POST"


PROCEDURES: Final = {
    "livekit.getTenantByRoom": Procedure("query", schemas.TenantAsked, operations.find_tenant),
    "usage.trackCost": Procedure("mutation", schemas.CostAsked, operations.track_cost),
    "knowledge.search": Procedure("query", schemas.KnowledgeAsked, operations.search_knowledge, part="passages"),
    "featureFlags.isEnabled": Procedure("query", schemas.FlagAsked, operations.is_flag_enabled),
    "ai.getPersonality": Procedure("query", schemas.PersonalityAsked, operations.get_personality),
    "analytics.recordEvent": Procedure("mutation", schemas.EventAsked, operations.record_event),
}


async def call_procedure(request: HttpRequest, path: str) -> HttpResponse:
    """`/trpc/<path>`."""
    try:
        await _admitted(request)
        procedure = _procedure(request, path)
        asked = _read(procedure, _sent(request, procedure))
        answer = await procedure.carry_out(asked)
    except Problem as problem:
        return trpc_response(problem, path)
    except DatabaseError as error:
        return trpc_response(as_problem(error) or _unforeseen(error), path)
    except Exception as error:
        return trpc_response(_unforeseen(error), path)
    data = [as_camel(one) for one in getattr(answer, procedure.part)] if procedure.part else as_camel(answer)
    return JsonResponse({"result": {"data": data}})


def _unforeseen(error: Exception) -> Problem:
    logger.error("unhandled error in a procedure", exc_info=error)
    return Problem("internal_error", "Something went wrong on our side. It was logged; try again.", status=500)


def _procedure(request: HttpRequest, path: str) -> Procedure:
    """Raises `Problem` for what is none, a batch, or asked for by the wrong method."""
    if "batch" in request.GET or "," in path:
        raise Problem("batch_not_supported", "Batches aren't taken: send one call a request.")
    procedure = PROCEDURES.get(path)
    if procedure is None:
        raise Problem("not_found", f'No procedure found on path "{path[:120]}"', status=404)
    if request.method != procedure.method:
        detail = f'Unsupported {request.method}-request to {procedure.kind} procedure at path "{path}"'
        raise Problem("method_not_allowed", detail, status=405, headers={"Allow": procedure.method})
    return procedure


def _sent(request: HttpRequest, procedure: Procedure) -> dict[str, Any]:
    """The input, out of its `json`. Raises `Problem`."""
    if procedure.kind == "query":
        text = request.GET.get("input", "").encode(errors="replace")
    else:
        try:
            text = request.body
        except RequestDataTooBig:
            text = b" " * (_MOST_BYTES + 1)
    if len(text) > _MOST_BYTES:
        raise Problem("too_large", f"The input has more than {_MOST_BYTES:,} bytes.", status=413)
    if not text.strip():
        where = "?input=" if procedure.kind == "query" else "the body"
        raise Problem("no_input", f'Send the input in {where}: {{"json":{{…}}}}.')
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        raise Problem("invalid_json", "The input is no JSON.") from None
    inner = whole.get("json") if isinstance(whole, dict) else None
    if not isinstance(inner, dict):
        raise Problem("no_input", 'Wrap the input, an object: {"json":{…}}.')
    return inner


def _read(procedure: Procedure, sent: dict[str, Any]) -> BaseModel:
    """The input as the operation takes it. Raises `Invalid`."""
    try:
        return procedure.input.model_validate(from_camel(procedure.input, sent))
    except ValidationError as fault:
        errors = [
            {"field": ".".join(_shown(part) for part in found["loc"]), "message": found["msg"]}
            for found in fault.errors(include_url=False, include_context=False, include_input=False)
        ]
        first = errors[0]
        problem = Invalid("invalid", f"{first['field'] or 'input'}: {first['message']}")
        problem.errors = list(errors)
        raise problem from None


def _shown(part: object) -> str:
    return to_camel(part) if isinstance(part, str) else str(part)
