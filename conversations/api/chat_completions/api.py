"""`/v1/chat/completions` and `/v1/models`. Thin: a completion is a turn like every other, run by the same engine."""

from __future__ import annotations

import functools
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated, Any, Final

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from ninja import Header, NinjaAPI, Router

from agents import releases
from agents.models import Agent
from conversations import queries, runner
from conversations.answers import events_of
from conversations.api.callers import asks, still_admitted, undeclared
from conversations.api.chat_completions import schemas as shapes
from conversations.api.chat_completions.answers import Completion, hear_out, lines, until_it_speaks
from conversations.api.chat_completions.requests import Asked, CompletionRequest, read
from conversations.api.chat_completions.threads import conversation_for, remember
from conversations.api.refusals import refuse_with
from conversations.domain.turns import Accepted
from conversations.events.record import Record
from conversations.events.stream import while_admitted
from switchboard.kernel.database import in_database
from switchboard.kernel.problems import Problem, openai_response
from tenants.api.authentication import key_of, token_of
from tenants.context import current_tenant
from tenants.permissions import Permission, allows, require

router = Router(tags=["chat completions"])
_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
_ERRORS = dict.fromkeys((400, 401, 403, 404, 409, 413, 429, 502, 503), shapes.ErrorAnswer)
# A turn that failed was kept as that; the client library would otherwise ask twice more by itself.
_NO_RETRY: Final = {"x-should-retry": "false"}
ConversationId = Annotated[
    str | None,
    Header(alias="X-Conversation-Id", max_length=60, description="Goes on with this conversation, whose id it is."),
]
IdempotencyKey = Annotated[
    str | None, Header(alias="Idempotency-Key", min_length=1, max_length=120, pattern=r"^[\x21-\x7e]+$")
]


class UnknownModel(Problem):
    def __init__(self, model: str) -> None:
        super().__init__(
            "model_not_found",
            f"The model `{model}` does not exist or you do not have access to it.",
            status=404,
            errors=[{"field": "model", "message": "No such model."}],
        )


@router.get(
    "/models",
    auth=asks(Permission.CONVERSATIONS_WRITE, of_some=True),
    response={200: shapes.ModelList, **_ERRORS},
    summary="List the agents to talk with",
)
async def models(request: HttpRequest) -> shapes.ModelList:
    """The company's agents that are live, as OpenAI lists its models."""
    rows = await in_database(lambda: [row for row in _serving(request) if _may_talk(request, row)])
    return shapes.ModelList(data=[_model(row) for row in rows])


@router.get(
    "/models/{model}",
    auth=asks(Permission.CONVERSATIONS_WRITE, of_some=True),
    response={200: shapes.ListedModel, **_ERRORS},
    summary="An agent to talk with",
)
async def model(request: HttpRequest, model: str) -> shapes.ListedModel:
    """One of them, by its slug."""
    return _model(await in_database(_agent, request, model))


@router.post(
    "/chat/completions",
    auth=asks(Permission.CONVERSATIONS_WRITE, of_some=True),
    response={200: shapes.ChatCompletion, **_ERRORS},
    summary="Ask an agent",
)
async def complete(
    request: HttpRequest,
    payload: CompletionRequest,
    conversation_id: ConversationId = None,
    idempotency_key: IdempotencyKey = None,
) -> HttpResponseBase:
    """OpenAI's chat completions. With `stream` the answer comes as server-sent events, `chat.completion.chunk`s."""
    asked = _as_caller(request, read(payload, conversation_header=conversation_id))
    agent = await in_database(_agent, request, asked.model)
    token = token_of(request)
    if token is not None and asked.conversation_id is not None:
        await queries.check_contact(asked.conversation_id, token)
    caller = _caller(request)
    thread = await conversation_for(agent, asked, caller=caller, idempotency_key=idempotency_key)
    accepted = await runner.accept(conversation_id=thread, content=asked.question, idempotency_key=idempotency_key)
    records = events_of(thread, accepted)
    completion = Completion(asked.model, thread, accepted.turn_id, await _longest_answer(accepted))
    after = functools.partial(remember, agent, asked, conversation_id=thread, caller=caller)
    headers = {"X-Conversation-Id": str(thread)}
    if not asked.streams:
        await hear_out(completion, records)
        if completion.failure is not None:
            return _failed(completion.failure, headers)
        await after(completion.answer)
        return JsonResponse(completion.whole(), headers=headers)
    first, is_over = await until_it_speaks(completion, records)
    if is_over and completion.failure is not None:
        return _failed(completion.failure, headers)
    heard = while_admitted(records, functools.partial(still_admitted, request))

    async def body() -> AsyncIterator[str]:
        rest = _nothing() if is_over else heard
        async for line in lines(completion, first, rest, tells_usage=asked.tells_usage):
            if line.startswith("data: [DONE]"):
                await after(completion.answer)
            yield line

    stream_headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", **headers}
    return StreamingHttpResponse(body(), content_type="text/event-stream; charset=utf-8", headers=stream_headers)


async def _nothing() -> AsyncIterator[Record | None]:
    return
    yield


def _as_caller(request: HttpRequest, asked: Asked) -> Asked:
    """A contact with a token is who the token says.

    Raises:
        Problem: 403, where the request says otherwise.
    """
    token = token_of(request)
    if token is None:
        return asked
    if asked.contact not in {"", token.contact}:
        raise Problem("forbidden", "This token is another contact's.", status=403)
    return replace(asked, contact=token.contact)


def _caller(request: HttpRequest) -> str:
    key, token = key_of(request), token_of(request)
    if key is not None:
        return f"key:{key.key_id}"
    if token is not None:
        return f"contact:{token.contact}"
    return f"staff:{request.auth.pk}"  # type: ignore[attr-defined]


async def _longest_answer(accepted: Accepted) -> int:
    if accepted.job is None:
        return 0
    release = await releases.resolve_async(accepted.job.release_id)
    return release.runtime.llm.max_tokens


def _serving(request: HttpRequest) -> Any:
    rows = Agent.objects.filter(deleted_at=None, status=Agent.Status.ACTIVE, live_release__isnull=False)
    token = token_of(request)
    if token is not None and token.agent is not None:
        rows = rows.filter(pk=token.agent)
    return rows.defer("draft").order_by("slug")


def _agent(request: HttpRequest, slug: str) -> Agent:
    """The live agent of this name, that the caller may talk with.

    Raises:
        UnknownModel: there is none, or it is none of the caller's business.
        Problem: 403.
    """
    agent = _serving(request).filter(slug=slug).first() if _SLUG.fullmatch(slug) else None
    caller = request.auth  # type: ignore[attr-defined]
    if agent is None:
        require(caller, Permission.CONVERSATIONS_WRITE)
        raise UnknownModel(slug[:120])
    require(caller, Permission.CONVERSATIONS_WRITE, on=agent)
    found: Agent = agent
    return found


def _may_talk(request: HttpRequest, agent: Agent) -> bool:
    return allows(request.auth, Permission.CONVERSATIONS_WRITE, on=agent)  # type: ignore[attr-defined]


def _model(agent: Agent) -> shapes.ListedModel:
    return shapes.ListedModel(
        id=agent.slug, created=int(agent.created_at.timestamp()), owned_by=current_tenant().name, name=agent.name
    )


def _failed(problem: Problem, headers: dict[str, str]) -> HttpResponse:
    response = openai_response(problem)
    for name, value in {**headers, **_NO_RETRY}.items():
        response[name] = value
    return response


chat_completions = NinjaAPI(
    title="Switchboard as OpenAI",
    version="1",
    urls_namespace="chat-completions",
    auth=undeclared,
    openapi_url=None,
    docs_url=None,
)
chat_completions.add_router("", router)

refuse_with(chat_completions, openai_response, invalid=400)
