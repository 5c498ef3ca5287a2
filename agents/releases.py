"""A release as the engine sees it: one frozen value, resolved once and kept, for a release never changes."""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass

from agents.models import ModelEndpoint, Release
from switchboard.kernel.memory import Memory
from tenants.context import current_tenant


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model is reached."""

    id: uuid.UUID
    name: str
    base_url: str
    api_key: str


@dataclass(frozen=True, slots=True)
class ResolvedRelease:
    """All that a turn needs to know of its agent."""

    id: uuid.UUID
    agent_id: uuid.UUID
    agent_name: str
    number: int
    prompt: str
    model: str
    endpoint_id: uuid.UUID | None
    temperature: float
    max_tokens: int
    collection_ids: tuple[uuid.UUID, ...]

    @property
    def is_local(self) -> bool:
        return self.endpoint_id is None


def resolve(release_id: uuid.UUID) -> ResolvedRelease:
    """The release with this id, of the tenant in force; one query the first time, none after.

    Raises:
        Release.DoesNotExist: there is none.
    """
    return releases.find((current_tenant().schema_name, release_id))


async def resolve_async(release_id: uuid.UUID) -> ResolvedRelease:
    """`resolve`, from async code."""
    return await releases.find_async((current_tenant().schema_name, release_id))


async def endpoint_async(endpoint_id: uuid.UUID) -> Endpoint:
    """The endpoint with this id, of the tenant in force, as it was within the last few seconds.

    Raises:
        ModelEndpoint.DoesNotExist: there is none.
    """
    return await endpoints.find_async((current_tenant().schema_name, endpoint_id))


def _release(name: Name) -> ResolvedRelease:
    row = Release.objects.select_related("agent").get(pk=name[1])
    return ResolvedRelease(
        id=row.pk,
        agent_id=row.agent_id,
        agent_name=row.agent.name,
        number=row.number,
        prompt=row.prompt,
        model=row.model,
        endpoint_id=row.endpoint_id,
        temperature=row.temperature,
        max_tokens=row.max_tokens,
        collection_ids=tuple(row.collection_ids),
    )


def _endpoint(name: Name) -> Endpoint:
    row = ModelEndpoint.objects.get(pk=name[1])
    return Endpoint(id=row.pk, name=row.name, base_url=row.base_url, api_key=row.api_key)


# The schema is part of the name: ids of two tenants are no strangers to each other in one process.
Name = tuple[str, uuid.UUID]
releases: Memory[Name, ResolvedRelease] = Memory(_release, seconds=math.inf, most=4096)
endpoints: Memory[Name, Endpoint] = Memory(_endpoint, seconds=3.0, most=4096)
