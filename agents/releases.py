"""A release as the engine sees it: one frozen value, resolved once and kept, for a release never changes."""

from __future__ import annotations

import functools
import time
import uuid
from dataclasses import dataclass

from agents.models import ModelEndpoint, Release
from tenants.context import current_tenant

_ENDPOINT_SECONDS = 3  # an endpoint's address and key may change; a release can't


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
    return _resolve(current_tenant().schema_name, release_id)


def endpoint(endpoint_id: uuid.UUID) -> Endpoint:
    """The endpoint with this id, of the tenant in force, as it was within the last few seconds.

    Raises:
        ModelEndpoint.DoesNotExist: there is none.
    """
    return _endpoint(current_tenant().schema_name, endpoint_id, int(time.monotonic() // _ENDPOINT_SECONDS))


@functools.lru_cache(maxsize=4096)
def _resolve(schema_name: str, release_id: uuid.UUID) -> ResolvedRelease:
    row = Release.objects.select_related("agent").get(pk=release_id)
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


@functools.lru_cache(maxsize=1024)
def _endpoint(schema_name: str, endpoint_id: uuid.UUID, moment: int) -> Endpoint:
    row = ModelEndpoint.objects.get(pk=endpoint_id)
    return Endpoint(id=row.pk, name=row.name, base_url=row.base_url, api_key=row.api_key)
