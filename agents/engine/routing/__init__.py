"""Who a message is for: one agent, several, nobody, a person, or nobody can tell yet."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from agents.content.runtime import ModelChoice
from agents.engine.gateway import ModelFailed, Role
from agents.engine.routing.by_meaning import route_by_meaning
from agents.engine.routing.by_model import route_by_model
from agents.engine.routing.values import Candidate, Kind, Part, Route
from billing.domain.usage import Usage

__all__ = ["Candidate", "Kind", "Part", "Route", "route"]

logger = logging.getLogger(__name__)


async def route(
    *,
    question: str,
    history: Sequence[tuple[Role, str]],
    candidates: Sequence[Candidate],
    chain: Sequence[ModelChoice],
) -> Route:
    """Say which of the candidates a message is for. Never any other agent.

    With a model it is asked once; where it fails or answers nonsense, and where there is none, the meaning of the
    words decides.

    Args:
        history: what was said before, oldest first.
        candidates: those that the tenant and the contact may use.
        chain: the models to ask, in order; the local one is none.

    Raises:
        EmbeddingsUnavailable: there was no model to ask, and the embedding service can't be reached either.
    """
    models = [choice for choice in chain if choice.endpoint]
    usages: tuple[Usage, ...] = ()
    if models and len(candidates) > 1 and question.strip():
        try:
            return await route_by_model(question=question, history=history, candidates=candidates, chain=models)
        except ModelFailed as failure:
            logger.warning("Routing goes on without a model", extra={"code": failure.code})
            usages = failure.usages
    found = await route_by_meaning(question=question, history=history, candidates=candidates)
    return replace(found, usages=usages)
