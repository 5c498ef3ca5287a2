"""Releases: made, and put live."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Max

from agents.models import Agent, ModelEndpoint, Release
from knowledge.models import Collection
from switchboard.kernel.problems import Invalid
from tenants.staff.models import User

LOCAL_MODEL = "local"


def make_release(
    *,
    agent: Agent,
    prompt: str,
    model: str = LOCAL_MODEL,
    endpoint: ModelEndpoint | None = None,
    temperature: float = 0.2,
    max_tokens: int = 1024,
    collection_ids: Sequence[uuid.UUID] = (),
    message: str = "",
    created_by: User | None = None,
) -> Release:
    """An immutable release of an agent, with the next number.

    Args:
        model: the endpoint's name for it, or `local`.
        endpoint: where the model is reached; None for `local` alone.
        temperature: 0 to 2.
        max_tokens: most tokens of one answer.
        collection_ids: what it may answer from.

    Raises:
        Invalid: `release_invalid`, where a part is missing or doesn't fit.
    """
    if not prompt.strip():
        raise Invalid("release_invalid", "A release needs a prompt.", field="prompt")
    if (endpoint is None) != (model == LOCAL_MODEL):
        raise Invalid("release_invalid", "Name an endpoint for every model but `local`.", field="endpoint")
    wanted = list(dict.fromkeys(collection_ids))
    if Collection.objects.filter(pk__in=wanted).count() != len(wanted):
        raise Invalid("release_invalid", "A collection of the release doesn't exist.", field="collection_ids")
    with transaction.atomic():
        # The lock makes numbers follow each other when two people release at once.
        Agent.objects.select_for_update(of=("self",)).get(pk=agent.pk)
        last = Release.objects.filter(agent=agent).aggregate(last=Max("number"))["last"] or 0
        return Release.objects.create(
            agent=agent,
            number=last + 1,
            prompt=prompt,
            endpoint=endpoint,
            model=model,
            temperature=temperature,
            max_tokens=max_tokens,
            collection_ids=wanted,
            message=message,
            created_by=created_by,
        )


def go_live(*, release: Release) -> None:
    """Point the agent at a release. Conversations that began on another stay where they are until their next turn."""
    Agent.objects.filter(pk=release.agent_id).update(live_release=release)
