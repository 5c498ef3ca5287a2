"""Entries of the registries: made, drafted, published, deleted and restored. One set of rules for all five kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from agents.content.base import Fault, check_draft, checksum_of
from agents.domain.references import faults_of
from agents.domain.usage import refuse_if_used
from agents.models import Component, Version
from agents.models.component import valid_slug
from switchboard.kernel.problems import Conflict, Invalid, Problem
from switchboard.kernel.text import check_note, check_text
from tenants.actor import doing
from tenants.staff.models import User

C = TypeVar("C", bound=Component)
MOST_TAGS = 20
LONGEST_TAG = 40


class DraftRefused(Problem):
    """A draft that can't be published as it is; `errors` has a fault for each field."""

    def __init__(self, component: Component, faults: Sequence[Fault]) -> None:
        super().__init__(
            "draft_invalid",
            f"The draft of {component.word} “{component}” isn't ready to be published.",
            status=422,
            errors=[fault.as_dict() for fault in faults],
        )


class DraftChanged(Problem):
    """Somebody else saved meanwhile. Nothing of either is lost: theirs is kept, this one's author still has theirs."""

    def __init__(self, component: Component) -> None:
        who = f" by {component.drafted_by}" if component.drafted_by_id else ""
        super().__init__(
            "stale",
            f"The draft of {component.word} “{component}” was changed{who} while you were editing. Compare, then save "
            "again.",
            status=412,
        )


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing came to. `is_new` is False where the draft was the latest version's already."""

    version: Version
    is_new: bool


def create_component(
    kind: type[C],
    *,
    name: str,
    slug: str,
    content: Mapping[str, Any],
    tags: Sequence[str] = (),
    by: User | None = None,
    **fields: Any,
) -> C:
    """A new entry with a draft and no version yet.

    Args:
        kind: which registry.
        slug: names it in configuration files; stays.
        content: the draft; it may be unfinished.
        by: who made it, if a person did.

    Raises:
        Invalid: `draft_invalid`, `invalid_name`.
        Conflict: `component_exists`, where the slug is taken, by a deleted entry perhaps.
    """
    labels = _labels(name, tags)
    try:
        valid_slug(slug)
    except ValidationError as error:
        raise Invalid("invalid_name", error.messages[0], field="slug") from None
    draft = check_draft(kind.content_type, content)
    try:
        with transaction.atomic(), doing(f"{_entity(kind)}.created"):
            return kind._default_manager.create(**labels, slug=slug, draft=draft, drafted_by=by, **fields)
    except IntegrityError:
        raise Conflict(
            "component_exists", f"There is {_a(kind.word)} with the slug {slug} already; it may be deleted."
        ) from None


def describe_component(*, component: Component, name: str, tags: Sequence[str]) -> None:
    """Change what an entry is called. Versions and drafts stay as they are.

    Raises:
        Invalid: `invalid_name`, `invalid_tags`.
        Conflict: `deleted`.
    """
    labels = _labels(name, tags)
    with transaction.atomic():
        row = _locked(component)
        if (row.name, row.tags) != (labels["name"], labels["tags"]):
            with doing(f"{_entity(row)}.changed"):
                type(row)._default_manager.filter(pk=row.pk).update(**labels)


def save_draft(
    *, component: C, content: Mapping[str, Any], seen_revision: int | None = None, by: User | None = None
) -> C:
    """Keep a draft. Of two people who edit the same one, the second to save is told.

    Args:
        seen_revision: `draft_revision` of what the author started from; None overwrites whatever is there.

    Returns:
        The entry as it is now.

    Raises:
        Invalid: `draft_invalid`.
        DraftChanged: 412 `stale`.
        Conflict: `deleted`.
    """
    draft = check_draft(component.content_type, content)
    with transaction.atomic():
        row = _locked(component)
        if seen_revision is not None and row.draft_revision != seen_revision:
            raise DraftChanged(row)
        if checksum_of(row.draft) == checksum_of(draft):
            return row
        row.draft = draft
        row.draft_revision += 1
        row.drafted_by = by
        row.drafted_at = timezone.now()
        with doing(f"{_entity(row)}.drafted"):
            row.save(update_fields=["draft", "draft_revision", "drafted_by", "drafted_at"])
        return row


def validate_draft(*, component: Component) -> list[Fault]:
    """Everything that keeps a draft from being published; empty where nothing does."""
    return faults_of(component.content_type, component.draft)[1]


def publish(
    *, component: Component, message: str = "", seen_revision: int | None = None, by: User | None = None
) -> Published:
    """Make the draft the next version. Twice at once, or twice in a row, it is one version.

    Args:
        message: what changed, for whoever wonders later.
        seen_revision: refuse to publish a draft that its publisher hasn't seen.

    Raises:
        DraftRefused: 422 `draft_invalid`.
        DraftChanged: 412 `stale`.
        Conflict: `deleted`.
    """
    note = check_note(message)
    with transaction.atomic():
        row = _locked(component)
        if seen_revision is not None and row.draft_revision != seen_revision:
            raise DraftChanged(row)
        versions: Any = row.version_model._default_manager
        latest = versions.filter(component=row).order_by("-number").first()
        if latest is not None and row.published_revision == row.draft_revision:
            return Published(latest, is_new=False)
        content, faults = faults_of(row.content_type, row.draft)
        if content is None or faults:
            raise DraftRefused(row, faults)
        stored = content.as_json()
        checksum = checksum_of(stored)
        manager = type(row)._default_manager.filter(pk=row.pk)
        if latest is not None and latest.checksum == checksum:
            manager.update(published_revision=row.draft_revision)
            return Published(latest, is_new=False)
        version = _make_version(
            row, stored, number=row.latest_version + 1, published_revision=row.draft_revision, note=note, by=by
        )
        return Published(version, is_new=True)


def publish_content(
    *,
    component: Component,
    content: Mapping[str, Any],
    number: int = 0,
    keep_draft: bool = False,
    message: str = "",
    seen_revision: int | None = None,
    by: User | None = None,
) -> Published:
    """Make a content that comes from elsewhere the next version, unless it is the latest already.

    Args:
        number: of the version, where that is free; greater where it isn't.
        keep_draft: leave the draft to whoever is working on it; else it becomes this content.
        message: what changed, for whoever wonders later.
        seen_revision: refuse where the draft was saved or published since.

    Raises:
        DraftRefused: 422 `draft_invalid`.
        DraftChanged: 412 `stale`.
        Conflict: `deleted`.
    """
    note = check_note(message)
    with transaction.atomic():
        row = _locked(component)
        if seen_revision is not None and row.draft_revision != seen_revision:
            raise DraftChanged(row)
        typed, faults = faults_of(row.content_type, content)
        if typed is None or faults:
            raise DraftRefused(row, faults)
        stored = typed.as_json()
        published_revision = row.published_revision
        if not keep_draft:
            published_revision = save_draft(component=row, content=stored, by=by).draft_revision
        versions: Any = row.version_model._default_manager
        latest = versions.filter(component=row).order_by("-number").first()
        if latest is not None and latest.checksum == checksum_of(stored):
            kept = type(row)._default_manager.filter(pk=row.pk).exclude(published_revision=published_revision)
            kept.update(published_revision=published_revision)
            return Published(latest, is_new=False)
        number = max(number, row.latest_version + 1)
        version = _make_version(row, stored, number=number, published_revision=published_revision, note=note, by=by)
        return Published(version, is_new=True)


def return_to_version(*, component: C, version: Version, seen_revision: int | None = None, by: User | None = None) -> C:
    """Make a past version the draft again, to be published as a new one. Raises what `save_draft` does."""
    return save_draft(component=component, content=version.content, seen_revision=seen_revision, by=by)


def delete_component(*, component: Component) -> None:
    """Take an entry out of the lists. Its versions stay, and so do the releases made of them.

    Raises:
        Conflict: `component_in_use`, while a live or canary release is made of it.
    """
    with transaction.atomic():
        row = _locked(component, or_deleted=True)
        refuse_if_used(row)
        with doing(f"{_entity(row)}.deleted"):
            type(row)._default_manager.filter(pk=row.pk, deleted_at=None).update(deleted_at=timezone.now())


def restore_component(*, component: Component) -> None:
    """Bring a deleted entry back as it was."""
    with doing(f"{_entity(component)}.restored"):
        type(component)._default_manager.filter(pk=component.pk).update(deleted_at=None)


def _locked(component: C, *, or_deleted: bool = False) -> C:
    rows = type(component)._default_manager.select_for_update(of=("self",), no_key=True)
    row = rows.get(pk=component.pk)
    if not or_deleted:
        refuse_if_deleted(row)
    return row


def refuse_if_deleted(component: Component) -> None:
    """Refuse to change what isn't in the lists any more.

    Raises:
        Conflict: `deleted`.
    """
    if component.deleted_at is not None:
        raise Conflict("deleted", f"The {component.word} “{component}” is deleted. Restore it first.")


def _make_version(
    row: Component, content: Mapping[str, Any], *, number: int, published_revision: int, note: str, by: User | None
) -> Version:
    versions: Any = row.version_model._default_manager
    with doing(f"{_entity(row)}.published", note):
        version: Version = versions.create(
            component=row, number=number, content=content, checksum=checksum_of(content), message=note, created_by=by
        )
        entries = type(row)._default_manager.filter(pk=row.pk)
        entries.update(latest_version=number, published_revision=published_revision)
    return version


def _labels(name: str, tags: Sequence[str]) -> dict[str, Any]:
    check_text(name, field="name", max_bytes=480)
    if len(name) > 120:
        raise Invalid("invalid_name", "A name may have 120 characters.", field="name")
    wanted = list(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))
    if len(wanted) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in wanted):
        detail = f"{MOST_TAGS} tags of at most {LONGEST_TAG} characters each."
        raise Invalid("invalid_tags", detail, field="tags")
    return {"name": name.strip(), "tags": wanted}


def _entity(component: Component | type[Component]) -> str:
    return component.word.replace(" ", "_")


def _a(word: str) -> str:
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"
