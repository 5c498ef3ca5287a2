"""What a message wants of an agent that has no model: its tools, its documents, or both at once.

A clause is for the tool whose description and examples are nearest to it, if any is near enough; what isn't for a tool
is to be told from the documents. Whether something is to be looked up or done is told by the form: "is there a table?"
looks, "a table for two, please" books.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from agents.engine.request import TurnRequest
from agents.engine.routing import Candidate, route
from agents.engine.routing.before import SHORT, said_before
from agents.engine.routing.clauses import clauses_of
from agents.engine.routing.phrases import is_small_talk, wants_a_person
from agents.engine.routing.vectors import candidate_vectors, text_vectors
from agents.engine.slots import language_of
from agents.engine.state import tool_called
from agents.releases import BoundTool
from agents.tools.offers import writes

_HANDOFF: Final = "handoff.request"
# Cosines. Documents are asked about the same matters that tools see to, so a question takes more than a bidding.
_NEAR: Final = 0.45
_NEAR_TO_QUESTION: Final = 0.5
# The embedding model knows little but English: of other languages, one sentence is much like another.
_MORE_ELSEWHERE: Final = 0.1
# A tool that is so much less near than the nearest may be meant by the form of the words.
_BESIDE: Final = 0.2
_LONGEST: Final = 2_000
# Nobody asks with "what" or "when" for something to be changed.
_ASKS: Final = re.compile(
    r"\W*(?:(?:until|by|from|since|at|on|in|for|bis|ab|seit|um|zu|jusqu'à|à|de)\s+)?(?:what|when|where|which|who|why|"
    r"how|was|wann|wo|welche[nrsm]?|wer|warum|wie|que|quand|o\u00f9|quel(?:le)?s?|qui|pourquoi|combien|comment)\b",
    re.IGNORECASE,
)
_LOOKS: Final = re.compile(
    r"\W*(?:is|are|do|does|have|has|any|will|ist|sind|gibt|habt|haben|hat|est-ce|y\s+a-t-il|il\s+y\s+a|avez)\b",
    re.IGNORECASE,
)
_WANTS_TO_KNOW: Final = re.compile(
    r"\W*(?:can|could|may|should|did|was|were|tell|show|explain|describe|kann|darf|können|sag|sagen|zeig|peut|puis|dites)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Wish:
    """A part of a message.

    Args:
        text: in the contact's words.
        tool: what sees to it; None where something is to be told.
    """

    text: str
    tool: BoundTool | None = None


async def wishes_of(request: TurnRequest) -> list[Wish]:
    """The parts of a message, in its order, each tool and the documents once at most; one where nothing divides it.

    Raises:
        EmbeddingsUnavailable: the embedding service can't be reached.
    """
    tools = [tool for tool in request.release.tools if tool.content.kind != "knowledge"]
    if not tools:
        return [Wish(request.question)]
    if not request.release.collection_ids:
        return [Wish(request.question, await _of_one_that_does(request, tools))]
    text = request.question.strip()[:_LONGEST]
    if wants_a_person(text):
        return [Wish(request.question, _handoff(tools))]
    clauses = [clause for clause in clauses_of(text) if not is_small_talk(clause)]
    if not clauses or is_small_talk(text):
        return [Wish(request.question)]
    parts = _together(list(zip(clauses, await _tools_for(clauses, tools), strict=True)))
    if len(parts) > 1:
        return parts
    return [Wish(request.question, parts[0].tool) if parts[0].tool else await _continued(request, text, tools)]


async def _continued(request: TurnRequest, text: str, tools: Sequence[BoundTool]) -> Wish:
    """What is for no tool by itself, as going on from the message before: "Is there a table tomorrow?" "Book it." """
    before = said_before(request.history)
    if not before or len(text) > SHORT or len(before) > _LONGEST or _is_question(text):
        return Wish(request.question)
    both = f"{before.strip()} {text}"
    [near] = await _nearness([both], tools)
    tool = _meant(text, near)
    return Wish(both, tool) if tool is not None else Wish(request.question)


async def _of_one_that_does(request: TurnRequest, tools: Sequence[BoundTool]) -> BoundTool | None:
    """The tool of an agent that has nothing to tell: it is asked to do something, whatever the words are."""
    if len(tools) == 1:
        return tools[0]
    found = await route(
        question=request.question, history=(), candidates=[_candidate(tool) for tool in tools], chain=()
    )
    if found.kind == "escalate":
        return _handoff(tools)
    return tool_called(request.release, found.parts[0].slug) if found.kind == "one" else tools[0]


async def _tools_for(clauses: Sequence[str], tools: Sequence[BoundTool]) -> list[BoundTool | None]:
    near = await _nearness(clauses, tools)
    return [_meant(clause, one) for clause, one in zip(clauses, near, strict=True)]


async def _nearness(texts: Sequence[str], tools: Sequence[BoundTool]) -> list[list[tuple[float, BoundTool]]]:
    vectors = await candidate_vectors([_candidate(tool) for tool in tools])
    rows = vectors.similarities(await text_vectors(texts)).tolist()
    return [list(zip(row, tools, strict=True)) for row in rows]


def _meant(clause: str, near: Sequence[tuple[float, BoundTool]]) -> BoundTool | None:
    """The tool that a clause is for, of those with how near they are to it."""
    asks = bool(_ASKS.match(clause))
    possible = [(nearness, tool) for nearness, tool in near if not (asks and writes(tool))]
    looks = asks or bool(_LOOKS.match(clause))
    nearest = max((nearness for nearness, _ in possible), default=0.0)
    needed = _NEAR_TO_QUESTION if looks or clause.endswith("?") else _NEAR
    if nearest < needed + (0.0 if language_of(clause) == "en" else _MORE_ELSEWHERE):
        return None
    beside = [(nearness, tool) for nearness, tool in possible if nearness >= nearest - _BESIDE]
    fitting = [(nearness, tool) for nearness, tool in beside if writes(tool) is not looks]
    return max(fitting or beside, key=lambda one: one[0])[1]


def _together(clauses: Sequence[tuple[str, BoundTool | None]]) -> list[Wish]:
    """Clauses as wishes: what is neither for a tool nor a question goes with the tool before it, or else after it: "We
    are four. A table at eight, please. The name is Ada." is one wish.
    """
    first = next((tool for _, tool in clauses if tool is not None), None)
    texts: dict[str, list[str]] = {}
    tools: dict[str, BoundTool | None] = {}
    last = first
    for clause, tool in clauses:
        meant = tool if tool is not None else None if _is_question(clause) else last
        if meant is not None:
            last = meant
        slug = meant.slug if meant is not None else ""
        texts.setdefault(slug, []).append(clause)
        tools[slug] = meant
    return [Wish("\n".join(texts[slug]), tools[slug]) for slug in texts]


def _is_question(clause: str) -> bool:
    return clause.endswith("?") or any(form.match(clause) for form in (_ASKS, _LOOKS, _WANTS_TO_KNOW))


def _handoff(tools: Sequence[BoundTool]) -> BoundTool | None:
    return next((tool for tool in tools if tool.content.handler == _HANDOFF), None)


def _candidate(tool: BoundTool) -> Candidate:
    return Candidate(tool.slug, tool.name, tool.content.description, tool.content.examples)
