"""What an answer hangs on: its release, and its documents as they stood when the turn began."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass

from django.utils import timezone

from agents import releases
from agents.releases import ResolvedRelease
from knowledge.models import Collection
from switchboard.kernel.database import in_database


@dataclass(frozen=True, slots=True)
class CacheKey:
    """Under what an answer is kept, beside its question. The tenant is the schema that it is kept in.

    Args:
        knowledge: digest of the revisions of all documents that the answer could be made from.
    """

    release_id: uuid.UUID
    knowledge: str


async def key_of(release: ResolvedRelease) -> CacheKey:
    """The key of answers of a release as of now; one query, never from memory.

    Ask for it before documents are searched: if one changes meanwhile, the answer is kept under the older key, where
    nobody looks any more.
    """
    collections, templates = set(release.collection_ids), [release.template]
    # A supervisor's answers are its domain agents', from their documents.
    for sub in release.sub_agents:
        resolved = await releases.resolve_async(sub.release_id)
        collections.update(resolved.collection_ids)
        templates.append(resolved.template)
    revisions = await in_database(_revisions, collections) if collections else []
    told = [f"{collection}:{revision}" for collection, revision in revisions]
    if any("today" in template for template in templates):
        # What it is told changes at midnight, and so may the answer.
        told.append(timezone.now().date().isoformat())
    return CacheKey(release.id, hashlib.sha256("\n".join(told).encode()).hexdigest())


def _revisions(collection_ids: set[uuid.UUID]) -> list[tuple[uuid.UUID, int]]:
    return list(Collection.objects.filter(pk__in=collection_ids).order_by("pk").values_list("pk", "revision"))
