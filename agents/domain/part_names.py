"""The parts of a release as people and programs name them: by id, or as `slug@3`, `slug@latest`."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeVar

from django.db.models import QuerySet

from agents.domain.composition import DEFAULT, Parts
from agents.models import (
    Agent,
    AgentVersion,
    PersonalityVersion,
    PromptVersion,
    Release,
    RuntimeConfigVersion,
    ToolVersion,
    Version,
)
from knowledge.models import Collection
from switchboard.kernel.problems import Invalid

R = TypeVar("R", Version, Release)
LATEST: Final = "latest"
LIVE: Final = "live"


@dataclass(frozen=True, slots=True)
class PartNames:
    """What a release is to be made of. A version or a release is named by its id, `slug@number` or `slug@latest`.

    Args:
        profile: a version of the agent itself; None takes the latest.
        personality: `default` takes the tenant's default one; None is none.
        runtime_config: None is the built-in local model.
        sub_releases: releases of other agents; `slug@live` too.
        collections: by id or slug.
        variables: values for the prompt's declared variables.
    """

    prompt: str
    profile: str | None = None
    personality: str | None = DEFAULT
    runtime_config: str | None = None
    tools: Sequence[str] = ()
    sub_releases: Sequence[str] = ()
    collections: Sequence[str] = ()
    variables: Mapping[str, str] = field(default_factory=dict)


def parts_named(*, agent: Agent, names: PartNames) -> Parts:
    """The ids behind the names.

    Raises:
        Invalid: `release_invalid`, with the field whose name leads nowhere.
    """
    personality: uuid.UUID | Literal["default"] | None = DEFAULT
    if names.personality != DEFAULT:
        personality = _optional(PersonalityVersion, names.personality, "personality")
    own = f"{agent.slug}@{names.profile}" if (names.profile or "").isdecimal() or names.profile == LATEST else None
    return Parts(
        prompt=_version(PromptVersion, names.prompt, "prompt"),
        profile=_optional(AgentVersion, own or names.profile, "profile"),
        personality=personality,
        runtime_config=_optional(RuntimeConfigVersion, names.runtime_config, "runtime_config"),
        tools=tuple(_version(ToolVersion, name, "tools") for name in names.tools),
        sub_releases=tuple(_release(name) for name in names.sub_releases),
        collections=tuple(_collection(name) for name in names.collections),
        variables=names.variables,
    )


def _optional(kind: type[Version], name: str | None, place: str) -> uuid.UUID | None:
    return None if name is None else _version(kind, name, place)


def _version(kind: type[Version], name: str, place: str) -> uuid.UUID:
    found = _as_id(name)
    if found is not None:
        return found
    slug, number = _split(name, place)
    versions: Any = kind._default_manager
    row: Version | None = _numbered(versions.filter(component__slug=slug, component__deleted_at=None), number)
    if row is None:
        raise Invalid("release_invalid", f"There is no published version {name}.", field=place)
    return row.pk


def _release(name: str) -> uuid.UUID:
    found = _as_id(name)
    if found is not None:
        return found
    slug, number = _split(name, "sub_releases", LIVE)
    rows = Release.objects.filter(agent__slug=slug, agent__deleted_at=None)
    if number == LIVE:
        row = Release.objects.filter(pk__in=Agent.objects.filter(slug=slug).values("live_release_id")).first()
    else:
        row = _numbered(rows, number)
    if row is None:
        raise Invalid("release_invalid", f"There is no release {name}.", field="sub_releases")
    return row.pk


def _collection(name: str) -> uuid.UUID:
    found = _as_id(name)
    if found is not None:
        return found
    row = Collection.objects.filter(slug=name).first()
    if row is None:
        raise Invalid("release_invalid", f"There is no collection {name}.", field="collections")
    return row.pk


def _numbered(rows: QuerySet[R], number: str) -> R | None:
    return rows.order_by("-number").first() if number == LATEST else rows.filter(number=int(number)).first()


def _split(name: str, place: str, *more: str) -> tuple[str, str]:
    slug, at, number = name.rpartition("@")
    if not at or not slug or not (number in {LATEST, *more} or (number.isascii() and number.isdecimal())):
        words = " or ".join(f"slug@{word}" for word in (LATEST, *more))
        raise Invalid("release_invalid", f"“{name}” is neither an id nor slug@number nor {words}.", field=place)
    return slug, number[:10]


def _as_id(name: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(name)
    except ValueError:
        return None
