"""What a tenant has, as far as a document speaks of it: read in a number of queries that doesn't grow with it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import F, Model, Q

from agents.configuration.document import REGISTRIES, Document, Reference, ReleaseEntry
from agents.models import Agent, Component, ModelEndpoint, Personality, Release, TestCase
from knowledge.models import Collection
from tenants.flags.models import Flag

COMPONENTS: Final[Mapping[str, type[Component]]] = {**REGISTRIES, "agents": Agent}


@dataclass(frozen=True, slots=True)
class Part:
    """One version of an entry. Where two versions hold the same, they are the same."""

    slug: str
    checksum: str
    number: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Composition:
    """What a release is made of, by what it holds: equal for two releases that do the same, in whatever tenant."""

    profile: Part
    prompt: Part
    personality: Part | None
    runtime_config: Part | None
    tools: tuple[Part, ...]
    sub_agents: tuple[tuple[str, Composition], ...]
    collections: tuple[str, ...]
    variables: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class KnownVersion:
    id: uuid.UUID
    number: int
    checksum: str
    content: Mapping[str, Any] | None = None


@dataclass(slots=True)
class KnownEntry:
    """An entry of a registry, with its newest version and those that somebody asked about."""

    row: Any
    latest: KnownVersion | None = None
    versions: dict[int, KnownVersion] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KnownRelease:
    row: Release
    composition: Composition


@dataclass(slots=True)
class State:
    """A tenant's rows. Deleted entries and flags are among them, for their names are taken."""

    endpoints: dict[str, ModelEndpoint]
    collections: dict[str, Collection]
    flags: dict[str, Flag]
    entries: dict[str, dict[str, KnownEntry]]
    releases: dict[uuid.UUID, KnownRelease] = field(default_factory=dict)
    cases: dict[str, dict[str, TestCase]] = field(default_factory=dict)  # test cases by agent and name
    newest: dict[str, int] = field(default_factory=dict)  # an agent's greatest release number, by its slug

    def entry(self, section: str, slug: str) -> KnownEntry | None:
        return self.entries[section].get(slug)

    def live(self, slug: str) -> KnownRelease | None:
        entry = self.entries["agents"].get(slug)
        return self.releases.get(entry.row.live_release_id) if entry else None

    def canary(self, slug: str) -> KnownRelease | None:
        entry = self.entries["agents"].get(slug)
        return self.releases.get(entry.row.canary_release_id) if entry else None

    def releases_of(self, slug: str) -> list[KnownRelease]:
        """Those that were asked about, the newest first."""
        found = [known for known in self.releases.values() if known.row.agent.slug == slug]
        return sorted(found, key=lambda known: -known.row.number)


def hold_rows(document: Document, *, everything: bool = False) -> None:
    """Keep what a document names as it is until the transaction ends. To be called before the first change.

    Whoever changes a row holds it and then waits for the trail's end, where the change is written down. Whoever has
    that and then waits for a row would wait for ever.

    Args:
        everything: also the entries that the document's sections don't name.
    """
    tables: list[tuple[str, type[Model], str]] = [
        *((section, COMPONENTS[section], "slug") for section in reversed(list(COMPONENTS))),
        ("endpoints", ModelEndpoint, "name"),
        ("collections", Collection, "slug"),
        ("flags", Flag, "key"),
    ]
    for section, model, name in tables:
        entries = document.section(section)
        if not entries:
            continue
        named = Q() if everything else Q(**{f"{name}__in": list(entries)})
        if model is Personality:  # the one that was the default until now is changed as well
            named |= Q(is_default=True)
        rows = model._default_manager.filter(named).order_by("pk")
        list(rows.select_for_update(no_key=True).values_list("pk"))


def load(document: Document | None = None) -> State:
    """What the tenant in force has.

    Args:
        document: what it will be compared with: older versions and releases that this names are read too.
    """
    state = State(
        endpoints={row.name: row for row in ModelEndpoint.objects.all()},
        collections={row.slug: row for row in Collection.objects.all()},
        flags={row.key: row for row in Flag.objects.all()},
        entries={section: _entries(kind) for section, kind in COMPONENTS.items()},
    )
    for case in TestCase.objects.filter(deleted_at=None).select_related("agent"):
        state.cases.setdefault(case.agent.slug, {})[case.name] = case
    if document is not None:
        _add_versions(state, _numbered(document))
    _add_releases(state, list(_told_releases(document)) if document else [])
    return state


def _entries(kind: type[Component]) -> dict[str, KnownEntry]:
    entries = {row.pk: KnownEntry(row) for row in kind._default_manager.all()}
    versions: Any = kind.version_model._default_manager
    for version in versions.filter(number=F("component__latest_version")).order_by():
        known = KnownVersion(version.pk, version.number, version.checksum, version.content)
        entries[version.component_id].latest = known
        entries[version.component_id].versions[version.number] = known
    return {entry.row.slug: entry for entry in entries.values()}


def _add_versions(state: State, wanted: Mapping[str, set[str]]) -> None:
    """The older versions of these entries, without their contents."""
    for section, slugs in wanted.items():
        if not slugs:
            continue
        by_id = {entry.row.pk: entry for slug, entry in state.entries[section].items() if slug in slugs}
        versions: Any = COMPONENTS[section].version_model._default_manager
        rows = versions.filter(component__in=by_id)
        for pk, component, number, checksum in rows.values_list("pk", "component_id", "number", "checksum"):
            by_id[component].versions.setdefault(number, KnownVersion(pk, number, checksum))


def _add_releases(state: State, told: list[str]) -> None:
    """Releases that serve, the newest of each agent, those that supervisors are made of, and all of some agents."""
    agents = {entry.row.pk: entry.row for entry in state.entries["agents"].values()}
    newest = Release.objects.order_by("agent_id", "-number").distinct("agent_id").values("pk")
    serving = {pk for row in agents.values() for pk in (row.live_release_id, row.canary_release_id) if pk}
    rows = list(
        Release.objects.filter(Q(pk__in=serving) | Q(pk__in=newest) | Q(agent__slug__in=told)).order_by("-number")
    )
    subs = {pk for row in rows for pk in row.sub_release_ids} - {row.pk for row in rows}
    rows += list(Release.objects.filter(pk__in=subs)) if subs else []
    for row in rows:
        row.agent = agents[row.agent_id]
        state.newest[row.agent.slug] = max(row.number, state.newest.get(row.agent.slug, 0))
    slugs = {row.pk: slug for slug, row in state.collections.items()}
    # Domain agents first: a supervisor's composition holds theirs.
    for row in sorted(rows, key=lambda row: len(row.sub_release_ids)):
        state.releases[row.pk] = KnownRelease(row, _composition(row, state, slugs))


def _composition(row: Release, state: State, slugs: Mapping[uuid.UUID, str]) -> Composition:
    held = row.snapshot
    names = {uuid.UUID(one["id"]): one["slug"] for one in held["collections"]} | dict(slugs)
    subs = [state.releases[pk] for pk in row.sub_release_ids]
    return Composition(
        profile=_part(held["profile"]),
        prompt=_part(held["prompt"]),
        personality=_part(held["personality"]) if held["personality"] else None,
        runtime_config=_part(held["runtime_config"]) if held["runtime_config"] else None,
        tools=tuple(_part(tool) for tool in held["tools"]),
        sub_agents=tuple((known.row.agent.slug, known.composition) for known in subs),
        collections=tuple(names[pk] for pk in row.collection_ids),
        variables=tuple(sorted(row.variables.items())),
    )


def _part(held: Mapping[str, Any]) -> Part:
    return Part(held["slug"], held["checksum"], held["version"])


def releases_in(document: Document) -> Iterator[tuple[str, ReleaseEntry]]:
    """Every release that a document describes, with its agent."""
    for slug, agent in document.section("agents").items():
        for release in (*agent.releases.values(), agent.release, agent.canary.release if agent.canary else None):
            if release is not None:
                yield slug, release


def _numbered(document: Document) -> dict[str, set[str]]:
    """The entries of which older versions are named."""
    wanted: dict[str, set[str]] = {section: set() for section in COMPONENTS}
    for section in COMPONENTS:
        wanted[section] |= {slug for slug, entry in document.section(section).items() if entry.versions}
    for agent, release in releases_in(document):
        if release.profile is not None:
            wanted["agents"].add(agent)
        for section, references in parts_of(release).items():
            wanted[section] |= {reference.slug for reference in references if reference.number}
    return wanted


def parts_of(release: ReleaseEntry) -> dict[str, list[Reference]]:
    """The registries' entries that a release is made of, by section."""
    return {
        "prompts": [release.prompt],
        "personalities": [release.personality] if release.personality else [],
        "runtime_configs": [release.runtime_config] if release.runtime_config else [],
        "tools": list(release.tools),
    }


def _told_releases(document: Document) -> Iterable[str]:
    """The agents of which older releases are named."""
    for slug, agent in document.section("agents").items():
        if agent.releases:
            yield slug
    for _, release in releases_in(document):
        yield from (sub.slug for sub in release.sub_agents if sub.number)
