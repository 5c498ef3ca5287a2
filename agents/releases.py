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

    name: str
    base_url: str
    api_key: str


@dataclass(frozen=True, slots=True)
class ResolvedRelease:
    """All that a turn needs to know of its agent."""

    prompt: str
    model: str
    endpoint_id: uuid.UUID | None
    temperature: float
    max_tokens: int
    collection_ids: tuple[uuid.UUID, ...]

    @property
    def is_local(self) -> bool:
        return self.endpoint_id is None


async def resolve_async(release_id: uuid.UUID) -> ResolvedRelease:
    """The release with this id, of the tenant in force; one query the first time, none after.

    Raises:
        Release.DoesNotExist: there is none.
    """
    return await releases.find_async((current_tenant().schema_name, release_id))


async def endpoint_async(endpoint_id: uuid.UUID) -> Endpoint:
    """The endpoint with this id, of the tenant in force, as it was within the last few seconds.

    Raises:
        ModelEndpoint.DoesNotExist: there is none.
    """
    return await endpoints.find_async((current_tenant().schema_name, endpoint_id))


def _release(name: Name) -> ResolvedRelease:
    row = Release.objects.get(pk=name[1])
    return ResolvedRelease(
        prompt=row.prompt,
        model=row.model,
        endpoint_id=row.endpoint_id,
        temperature=row.temperature,
        max_tokens=row.max_tokens,
        collection_ids=tuple(row.collection_ids),
    )


def _endpoint(name: Name) -> Endpoint:
    row = ModelEndpoint.objects.get(pk=name[1])
    return Endpoint(name=row.name, base_url=row.base_url, api_key=row.api_key)


# The schema is part of the name: ids of two tenants are no strangers to each other in one process.
Name = tuple[str, uuid.UUID]
releases: Memory[Name, ResolvedRelease] = Memory(_release, seconds=math.inf, most=4096)
endpoints: Memory[Name, Endpoint] = Memory(_endpoint, seconds=3.0, most=4096)
