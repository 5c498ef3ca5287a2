"""Agents: made and described."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import IntegrityError, transaction

from agents.models import Agent
from switchboard.kernel.problems import Conflict


def create_agent(*, name: str, slug: str, welcome: str = "", suggested_questions: Sequence[str] = ()) -> Agent:
    """A new agent, which answers nothing until it has a live release.

    Raises:
        Conflict: `agent_exists`, where the slug is taken.
    """
    try:
        with transaction.atomic():
            return Agent.objects.create(
                name=name, slug=slug, welcome=welcome, suggested_questions=list(suggested_questions)
            )
    except IntegrityError:
        raise _exists(slug) from None


def update_agent(
    *, agent: Agent, name: str, slug: str, welcome: str = "", suggested_questions: Sequence[str] = ()
) -> None:
    """Describe an agent anew. What it does is its release's to say.

    Raises:
        Conflict: `agent_exists`, where the slug is another's.
    """
    try:
        with transaction.atomic():
            Agent.objects.filter(pk=agent.pk).update(
                name=name, slug=slug, welcome=welcome, suggested_questions=list(suggested_questions)
            )
    except IntegrityError:
        raise _exists(slug) from None


def _exists(slug: str) -> Conflict:
    return Conflict("agent_exists", f"There is an agent with the slug {slug} already.")
