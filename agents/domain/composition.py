"""From the parts somebody chose to the snapshot a release keeps: everything looked up, checked, and written out."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from agents.content.agent import ProfileContent
from agents.content.base import Content
from agents.content.prompt import PromptContent, TemplateRefused, values_for
from agents.content.runtime import RuntimeContent
from agents.content.tool import ToolContent
from agents.domain.references import missing_references
from agents.models import (
    Agent,
    AgentVersion,
    Personality,
    PersonalityVersion,
    PromptVersion,
    Release,
    RuntimeConfigVersion,
    ToolVersion,
    Version,
)
from knowledge.models import Collection
from switchboard.kernel.problems import Invalid

V = TypeVar("V", bound=Version)
K = TypeVar("K", bound=Content)
DEFAULT: Literal["default"] = "default"


@dataclass(frozen=True, slots=True)
class Parts:
    """What a release is to be made of, by id.

    Args:
        profile: a version of the agent itself; None takes the latest.
        personality: `default` takes the latest version of the tenant's default personality, if there is one.
        runtime_config: None is the built-in local model.
        sub_releases: releases of the domain agents that a supervisor may hand to.
        variables: values for the prompt's declared variables.
    """

    prompt: uuid.UUID
    profile: uuid.UUID | None = None
    personality: uuid.UUID | Literal["default"] | None = DEFAULT
    runtime_config: uuid.UUID | None = None
    tools: tuple[uuid.UUID, ...] = ()
    sub_releases: tuple[uuid.UUID, ...] = ()
    collections: tuple[uuid.UUID, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, release: Release) -> Parts:
        """The parts of an existing release, to begin another from."""
        return cls(
            prompt=release.prompt_id,
            profile=release.profile_id,
            personality=release.personality_id,
            runtime_config=release.runtime_config_id,
            tools=tuple(release.tool_version_ids),
            sub_releases=tuple(release.sub_release_ids),
            collections=tuple(release.collection_ids),
            variables=release.variables,
        )


@dataclass(frozen=True, slots=True)
class Composition:
    """Parts that were found and fit, with the release's columns and its snapshot."""

    columns: dict[str, Any]
    snapshot: dict[str, Any]


def compose(*, agent: Agent, parts: Parts) -> Composition:
    """Look the parts of a release up and write them out.

    Raises:
        Invalid: `release_invalid`, naming the part that is missing or doesn't fit.
    """
    profile = _profile(agent, parts.profile)
    prompt = _version(PromptVersion, parts.prompt, field="prompt")
    personality = _personality(parts.personality)
    runtime = _optional(RuntimeConfigVersion, parts.runtime_config, field="runtime_config")
    tools = _tools(parts.tools)
    subs = _sub_releases(agent, profile, parts.sub_releases)
    collections = _collections(parts.collections)
    runtime_content = _typed(RuntimeContent, runtime) if runtime else RuntimeContent()
    _refuse_missing(runtime_content, field="runtime_config")
    for version in tools:
        _refuse_missing(_typed(ToolContent, version), field="tools")
    try:
        variables = values_for(_typed(PromptContent, prompt), parts.variables)
    except TemplateRefused as error:
        raise Invalid("release_invalid", str(error), field="variables") from None
    return Composition(
        columns={
            "profile": profile,
            "prompt": prompt,
            "personality": personality,
            "runtime_config": runtime,
            "tool_version_ids": [version.pk for version in tools],
            "sub_release_ids": [release.pk for release in subs],
            "collection_ids": [collection.pk for collection in collections],
            "variables": dict(parts.variables),
        },
        snapshot={
            "agent": {"id": str(agent.pk), "slug": agent.slug, "name": agent.name},
            "profile": _part(profile),
            "prompt": _part(prompt),
            "personality": _part(personality) if personality else None,
            "runtime_config": _part(runtime) if runtime else None,
            "tools": [_part(version) for version in tools],
            "sub_agents": [
                {
                    "release": str(release.pk),
                    "agent": release.snapshot["agent"],
                    "number": release.number,
                    "content": release.snapshot["profile"]["content"],
                }
                for release in subs
            ],
            "collections": [
                {"id": str(collection.pk), "slug": collection.slug, "name": collection.name}
                for collection in collections
            ],
            "variables": variables,
        },
    )


def _refuse_missing(content: Content, *, field: str) -> None:
    for fault in missing_references(content):
        raise Invalid("release_invalid", fault.message, field=field)


def _part(version: Any) -> dict[str, Any]:
    component = version.component
    return {
        "slug": component.slug,
        "name": component.name,
        "version": version.number,
        "checksum": version.checksum,
        "content": version.content,
    }


def _typed(kind: type[K], version: Version) -> K:
    return kind.model_validate(version.content)


def _version(kind: type[V], pk: uuid.UUID, *, field: str) -> V:
    row = kind._default_manager.select_related("component").filter(pk=pk).first()
    if row is None:
        raise Invalid("release_invalid", "There is no such published version.", field=field)
    component: Any = row.component  # type: ignore[attr-defined]
    if component.deleted_at is not None:
        raise Invalid("release_invalid", f"The {component.word} “{component}” is deleted.", field=field)
    return row


def _optional(kind: type[V], pk: uuid.UUID | None, *, field: str) -> V | None:
    return None if pk is None else _version(kind, pk, field=field)


def _profile(agent: Agent, pk: uuid.UUID | None) -> AgentVersion:
    versions = AgentVersion.objects.select_related("component").filter(component=agent)
    row = versions.order_by("-number").first() if pk is None else versions.filter(pk=pk).first()
    if row is None:
        detail = "Publish the agent itself first." if pk is None else "The agent has no such published version."
        raise Invalid("release_invalid", detail, field="profile")
    return row


def _personality(wanted: uuid.UUID | Literal["default"] | None) -> PersonalityVersion | None:
    if wanted != DEFAULT:
        return _optional(PersonalityVersion, wanted, field="personality")
    default = Personality.objects.filter(is_default=True, deleted_at=None).first()
    if default is None:
        return None
    return PersonalityVersion.objects.select_related("component").filter(component=default).order_by("-number").first()


def _tools(pks: Sequence[uuid.UUID]) -> list[ToolVersion]:
    versions = [_version(ToolVersion, pk, field="tools") for pk in dict.fromkeys(pks)]
    components = [version.component_id for version in versions]
    if len(set(components)) != len(components):
        raise Invalid("release_invalid", "Two versions of one tool.", field="tools")
    return versions


def _sub_releases(agent: Agent, profile: AgentVersion, pks: Sequence[uuid.UUID]) -> list[Release]:
    wanted = list(dict.fromkeys(pks))
    if not wanted:
        return []
    if _typed(ProfileContent, profile).kind != "supervisor":
        raise Invalid("release_invalid", "Only a supervisor has sub-agents.", field="sub_releases")
    found = {row.pk: row for row in Release.objects.select_related("agent").filter(pk__in=wanted)}
    agents: set[uuid.UUID] = set()
    for pk in wanted:
        row = found.get(pk)
        if row is None:
            raise Invalid("release_invalid", "A sub-agent's release doesn't exist.", field="sub_releases")
        if row.agent_id == agent.pk or row.agent_id in agents:
            raise Invalid("release_invalid", f"“{row.agent}” is there twice.", field="sub_releases")
        if row.snapshot["profile"]["content"]["kind"] != "domain":
            raise Invalid("release_invalid", f"“{row.agent}” is a supervisor itself.", field="sub_releases")
        agents.add(row.agent_id)
    return [found[pk] for pk in wanted]


def _collections(pks: Sequence[uuid.UUID]) -> list[Collection]:
    wanted = list(dict.fromkeys(pks))
    found = {row.pk: row for row in Collection.objects.filter(pk__in=wanted)}
    if len(found) != len(wanted):
        raise Invalid("release_invalid", "A collection of the release doesn't exist.", field="collections")
    return [found[pk] for pk in wanted]
