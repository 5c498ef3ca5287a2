"""One JSON object from a model, of a given schema.

The schema is put into words and the answer read and checked here. `response_format` and forced tools are understood
by some servers, refused by others and ignored by most that call themselves compatible; words work with all of them.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from typing import Any, Final

from agents.content.runtime import ModelChoice
from agents.engine.gateway.chat import stream_chat
from agents.engine.gateway.failures import ModelFailed
from agents.engine.gateway.messages import ChatMessage
from agents.engine.models import Deadlines
from agents.tools.arguments import check_arguments
from agents.tools.results import ToolFailed
from billing.domain.usage import Usage

_LONGEST_FAULT: Final = 300
_LONGEST_QUOTED: Final = 4000  # characters of a bad answer that the model is shown again


async def complete_json(
    *,
    chain: Sequence[ModelChoice],
    messages: Sequence[ChatMessage],
    schema: dict[str, Any],
    purpose: str,
    deadlines: Deadlines = Deadlines(),  # noqa: B008 - frozen
) -> tuple[dict[str, Any], list[Usage]]:
    """One structured answer, at temperature 0. An answer that doesn't fit is sent back once with the reason.

    Args:
        chain: see `stream_chat`.
        schema: JSON Schema (2020-12) of an object.

    Raises:
        ModelFailed: see there; `model_answer_invalid` after the second answer that doesn't fit. Its `usages` tell what
            was used until then.
    """
    cool = [choice.model_copy(update={"temperature": 0.0}) for choice in chain]
    told = ChatMessage(
        "system",
        "Reply with one JSON object and nothing else: no explanation, no code fence. It must be valid by this JSON "
        f"Schema:\n{json.dumps(schema, ensure_ascii=False, separators=(',', ':'))}",
    )
    asked = _with_system(messages, told)
    used: list[Usage] = []
    for _ in range(2):
        answer = await _answer(cool, asked, purpose, deadlines, used)
        found, fault = _read(answer, schema)
        if found is not None:
            return found, used
        asked = [
            *asked,
            ChatMessage("assistant", answer[:_LONGEST_QUOTED] or "(nothing)"),
            ChatMessage("user", f"That is not what was asked for: {fault}. Reply with the JSON object alone."),
        ]
    detail = "The model's answer did not have the form that was asked for, twice."
    raise ModelFailed("model_answer_invalid", detail, usages=tuple(used))


async def _answer(
    chain: Sequence[ModelChoice],
    messages: Sequence[ChatMessage],
    purpose: str,
    deadlines: Deadlines,
    used: list[Usage],
) -> str:
    said: list[str] = []
    try:
        pieces = stream_chat(chain=chain, messages=messages, purpose=purpose, deadlines=deadlines)
        async with contextlib.aclosing(pieces):
            async for piece in pieces:
                if isinstance(piece, str):
                    said.append(piece)
                elif isinstance(piece, Usage):
                    used.append(piece)
    except ModelFailed as failure:
        failure.usages = tuple(used)
        raise
    return "".join(said)


def _with_system(messages: Sequence[ChatMessage], told: ChatMessage) -> list[ChatMessage]:
    """The messages with one more instruction, in the one system message that all providers take."""
    if messages and messages[0].role == "system":
        return [ChatMessage("system", f"{messages[0].text}\n\n{told.text}"), *messages[1:]]
    return [told, *messages]


def _read(answer: str, schema: dict[str, Any]) -> tuple[dict[str, Any] | None, str]:
    """The object in an answer, or what is wrong with it."""
    found = _object_in(answer)
    if found is None:
        return None, "there is no JSON object in it"
    try:
        # The schema may be a tenant's, of a tool: it is applied where its patterns and references are harmless.
        return check_arguments(schema=schema, arguments=found), ""
    except ToolFailed as failed:
        return None, failed.detail[:_LONGEST_FAULT]


def _object_in(answer: str) -> dict[str, Any] | None:
    """The JSON object in an answer, which models like to wrap in a code fence or a sentence."""
    begin, end = answer.find("{"), answer.rfind("}")
    if 0 <= begin < end:
        with contextlib.suppress(ValueError, RecursionError):
            found = json.loads(answer[begin : end + 1], parse_constant=_refuse)
            return found if isinstance(found, dict) else None
    return None


def _refuse(constant: str) -> Any:
    # NaN and infinities are no JSON, and PostgreSQL takes none of them.
    raise ValueError(constant)
