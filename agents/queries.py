"""What is read of registries and releases."""

from __future__ import annotations

from typing import Any, Literal, TypeVar

from django.db.models import Q, QuerySet

from agents.content.base import read
from agents.diff import Change, diff_json
from agents.models import Agent, Component, Release, Version
from switchboard.kernel.problems import NotFound

C = TypeVar("C", bound=Component)
Serves = Literal["live", "canary", "preview", "withdrawn"]

DRAFT: Literal["draft"] = "draft"
LATEST: Literal["latest"] = "latest"


def components(
    rows: QuerySet[C], *, q: str = "", tag: str = "", published: bool | None = None, deleted: bool = False
) -> QuerySet[C]:
    """Entries of a registry.

    Args:
        q: a part of the name or the slug, whatever its case.
        published: whether they have a version; None: both.
        deleted: those that were deleted, instead of the others.
    """
    rows = rows.filter(deleted_at__isnull=not deleted)
    if q:
        rows = rows.filter(Q(name__icontains=q) | Q(slug__icontains=q.lower()))
    if tag:
        rows = rows.filter(tags__contains=[tag])
    if published is not None:
        rows = rows.filter(latest_version__gt=0) if published else rows.filter(latest_version=0)
    return rows


def versions_of(component: Component) -> QuerySet[Any]:
    """The versions of an entry, newest first."""
    versions: Any = component.version_model._default_manager
    rows: QuerySet[Any] = versions.filter(component=component).order_by("-number")
    return rows


def version_of(component: Component, number: int | Literal["latest"]) -> Version:
    """One version of an entry.

    Raises:
        NotFound: it has none of that number.
    """
    rows = versions_of(component).select_related("created_by")
    row: Version | None = rows.first() if number == LATEST else rows.filter(number=number).first()
    if row is None:
        raise NotFound("version")
    return row


def component_changes(component: Component, old: int | str, new: int | str) -> list[Change]:
    """What differs between two states of an entry: versions by number, `latest`, or `draft`.

    Raises:
        NotFound: there is no such version.
    """
    return diff_json(_content(component, old), _content(component, new))


def _content(component: Component, wanted: int | str) -> Any:
    if wanted == DRAFT:
        # A draft may leave out what is as usual; versions spell it out.
        content, _ = read(component.content_type, component.draft)
        return component.draft if content is None else content.as_json()
    return version_of(component, LATEST if wanted == LATEST else int(wanted)).content


def serves(release: Release, agent: Agent) -> Serves:
    """Whom a release of this agent answers now: everybody, a part, nobody yet, or nobody any more."""
    if agent.live_release_id == release.pk:
        return "live"
    if agent.canary_release_id == release.pk:
        return "canary"
    return "withdrawn" if release.pk in agent.withdrawn_release_ids else "preview"


def compared_with(release: Release) -> Release | None:
    """What a release is compared with where nobody says: the live one, or for that the one before it, if any."""
    agent = release.agent
    if agent.live_release is not None and agent.live_release_id != release.pk:
        return agent.live_release
    return Release.objects.filter(agent=agent, number__lt=release.number).order_by("-number").first()


def release_changes(old: Release | None, new: Release) -> list[Change]:
    """What differs between two releases in what they do; from nothing, everything."""
    return diff_json({} if old is None else _told(old.snapshot), _told(new.snapshot))


def _told(snapshot: Any) -> Any:
    """A snapshot without checksums: they differ where the content does, and tell nobody more."""
    if isinstance(snapshot, dict):
        return {key: _told(value) for key, value in snapshot.items() if key != "checksum"}
    return [_told(item) for item in snapshot] if isinstance(snapshot, list) else snapshot
