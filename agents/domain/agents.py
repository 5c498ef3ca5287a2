"""Agents: paused and resumed, held to their tests, and composed in one go for whoever starts."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from agents.content.runtime import LOCAL_MODEL
from agents.domain.components import create_component, publish, refuse_if_deleted
from agents.domain.composition import Parts
from agents.domain.releases import go_live, make_release
from agents.domain.test_cases import create_test_case
from agents.models import Agent, Prompt, Release, RuntimeConfig
from tenants.actor import doing
from tenants.staff.models import User


def configure_agent(*, agent: Agent, status: str | None = None, require_tests: bool | None = None) -> None:
    """Change how an agent is run; None leaves a setting as it is.

    Args:
        status: `active` or `paused`. A paused agent takes no messages but in the Playground.
        require_tests: whether only a release with green tests may go live.

    Raises:
        Conflict: `deleted`.
    """
    refuse_if_deleted(agent)
    changes: dict[str, object] = {}
    if status is not None:
        changes["status"] = status
    if require_tests is not None:
        changes["require_tests"] = require_tests
    if changes:
        with doing("agent.configured"):
            Agent.objects.filter(pk=agent.pk).update(**changes)


@transaction.atomic
def compose_agent(
    *,
    name: str,
    slug: str,
    prompt: str,
    endpoint: str = "",
    model: str = LOCAL_MODEL,
    temperature: float = 0.2,
    max_tokens: int = 1024,
    collection_ids: Sequence[uuid.UUID] = (),
    tools: Sequence[uuid.UUID] = (),
    welcome: str = "",
    suggested_questions: Sequence[str] = (),
    description: str = "",
    key_terms: Sequence[str] = (),
    sees: bool = False,
    test_cases: Sequence[Mapping[str, Any]] = (),
    message: str = "The first release",
    by: User | None = None,
) -> Release:
    """An agent that answers, in one step: its own prompt and runtime config, each published, in a release that is live.

    Args:
        prompt: the template of its prompt; it declares no variables.
        endpoint: name of the model endpoint; empty for the built-in local model.
        tools: published versions of what it can do besides talking.
        welcome: what it says before anybody asks.
        key_terms: what its built-in ears listen for; none: anything, and they understand less of it.
        sees: whether it looks at what is shared in a meeting.
        test_cases: arguments of `create_test_case` for each that the release carries; they aren't run.

    Raises:
        Problem: 422 `draft_invalid`, `release_invalid`, `invalid_name`.
        Conflict: `component_exists`, where the slug is taken in one of the registries.
    """
    profile = {"description": description, "suggested_questions": list(suggested_questions)}
    agent = create_component(Agent, name=name, slug=slug, content=profile, by=by)
    publish(component=agent, message=message, by=by)
    for case in test_cases:
        create_test_case(agent=agent, by=by, **case)
    instructions = create_component(Prompt, name=name, slug=slug, content={"template": prompt}, by=by)
    runtime = create_component(
        RuntimeConfig,
        name=name,
        slug=slug,
        content={
            "llm": {"endpoint": endpoint, "model": model, "temperature": temperature, "max_tokens": max_tokens},
            "welcome_message": welcome,
            **({"stt": {"options": {"keyterm": list(key_terms)}}} if key_terms else {}),
            **({"vision": {"enabled": True}} if sees else {}),
        },
        by=by,
    )
    parts = Parts(
        prompt=publish(component=instructions, message=message, by=by).version.pk,
        runtime_config=publish(component=runtime, message=message, by=by).version.pk,
        tools=tuple(tools),
        collections=tuple(collection_ids),
    )
    release = make_release(agent=agent, parts=parts, message=message, by=by)
    go_live(release=release, message=message)
    return release
