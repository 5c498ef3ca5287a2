"""Which releases a document asks for, and which of them serve."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from operator import methodcaller
from typing import Any

from agents.configuration.document import AgentEntry, CanaryEntry, Document, Reference, ReleaseEntry
from agents.configuration.plan import Action, Options, Step
from agents.configuration.reading import Path, Place
from agents.configuration.settled import Settled, Unresolved
from agents.configuration.state import Composition, KnownRelease, Part, State
from agents.content.prompt import PromptContent, TemplateRefused, values_for
from agents.diff import Change, diff_json
from agents.domain.test_gate import refuse_unless_green
from agents.models import Release
from switchboard.kernel.problems import Conflict


@dataclass(slots=True)
class Slot:
    """A release that is there, or will be once its step is done.

    Args:
        row: the release; filled in where it is made.
    """

    agent: str
    made_of: Composition
    number: int
    row: Release | None = None


class Releases:
    """Plans the releases of all agents in a document; domain agents first, for supervisors are made of them."""

    def __init__(
        self, document: Document, state: State, settled: Settled, options: Options, faults: list[Place]
    ) -> None:
        self._document = document
        self._state = state
        self._settled = settled
        self._options = options
        self._faults = faults
        self._numbers = dict(state.newest)
        self._targets: dict[str, Composition] = {}
        self._written: dict[tuple[str, int], Composition] = {}
        self._pinned: dict[tuple[str, Composition], Slot] = {}  # made for supervisors, and serving nobody directly yet
        self._anew = set(settled.renamed)  # agents whose live release calls them by a name they had before
        self._held: set[str] = set()

    def steps(self) -> Iterator[Step]:
        agents = self._document.section("agents")
        for slug in sorted(agents, key=lambda slug: (_has_sub_agents(agents[slug]), slug)):
            yield from self._agent(slug, agents[slug])

    def _agent(self, slug: str, entry: AgentEntry) -> Iterator[Step]:
        path: Path = ("agents", slug)
        for number, release in sorted((int(number), one) for number, one in entry.releases.items()):
            made_of = self._compose(slug, release, (*path, "releases", str(number)))
            if made_of is not None:
                self._written[slug, number] = made_of
                yield from self._make_pinned(path, made_of, number)
        goes_live = False
        if entry.release is not None:
            target = self._compose(slug, entry.release, (*path, "release"))
            if target is None:
                return
            for step in self._serve(path, entry, target):
                goes_live |= step.action is Action.GO_LIVE
                yield step
        if entry.speaks_of_canary and self._options.live:
            yield from self._canary(path, entry, goes_live=goes_live)

    def _make_pinned(self, path: Path, made_of: Composition, number: int) -> Iterator[Step]:
        slug = str(path[1])
        if not any(known.composition == made_of for known in self._state.releases_of(slug)):
            slot = self._pinned[slug, made_of] = Slot(slug, made_of, 0)
            yield self._make(path, slot, before=None, least=number)

    def _serve(self, path: Path, entry: AgentEntry, target: Composition) -> Iterator[Step]:
        slug = str(path[1])
        self._targets[slug] = target
        if any(sub in self._anew for sub, _ in target.sub_agents):
            self._anew.add(slug)
        live = self._state.live(slug)
        if live is not None and live.composition == target and slug not in self._anew:
            return
        slot = self._known(slug, target, entry)
        if slot is None:
            slot = Slot(slug, target, 0)
            yield self._make(path, slot, before=live)
        if not self._options.live:
            return
        reason = self._why_held(entry, slot)
        if reason:
            self._held.add(slug)
            yield Step(path, Action.KEEP, f"#{slot.number} as a preview: {reason}")
            return
        known = self._state.entry("agents", slug)
        ends = known is not None and known.row.canary_release_id is not None and entry.canary is None
        detail = f"#{slot.number}" + (", which ends the canary" if ends else "")
        yield Step(path, Action.GO_LIVE, detail, do=methodcaller("go_live", slot))

    def _known(self, slug: str, made_of: Composition, entry: AgentEntry) -> Slot | None:
        """A release that is what is asked for and isn't live: one that this document pins, or a preview left before.

        A second one just like the pinned release would be what supervisors are made of, under another number.
        """
        pinned = self._pinned.pop((slug, made_of), None)
        if pinned is not None:
            return pinned
        releases = self._state.releases_of(slug)
        if not releases or releases[0].composition != made_of or self._numbers[slug] != releases[0].row.number:
            return None
        row = releases[0].row
        name = entry.name or row.agent.name
        if row.pk == row.agent.live_release_id or row.snapshot["agent"]["name"] != name:
            return None
        return Slot(slug, made_of, row.number, row)

    def _make(self, path: Path, slot: Slot, *, before: KnownRelease | None, least: int = 0) -> Step:
        slot.number = max(least, self._numbers.get(slot.agent, 0) + 1)
        self._numbers[slot.agent] = slot.number
        changes = tuple(diff_json(_told(before.composition), _told(slot.made_of))) if before else ()
        if before and not changes:
            changes = (Change("name", "changed", before.row.snapshot["agent"]["name"], before.row.agent.name),)
            changes = () if changes[0].old == changes[0].new else changes
        return Step(path, Action.RELEASE, f"#{slot.number}", changes, methodcaller("make_release", slot))

    def _why_held(self, entry: AgentEntry, slot: Slot) -> str:
        """Why a release may not serve yet; empty where it may."""
        known = self._state.entry("agents", slot.agent)
        asks = entry.require_tests if entry.require_tests is not None else bool(known and known.row.require_tests)
        if asks and (known is None or slot.row is None):
            return "its tests have to be green first"
        if asks and known is not None and slot.row is not None:
            agent = copy(known.row)
            agent.require_tests = True
            try:
                refuse_unless_green(agent=agent, release=slot.row)
            except Conflict as refusal:
                return refusal.detail[:1].lower() + refusal.detail[1:].rstrip(".")
        waiting = [sub for sub, _ in slot.made_of.sub_agents if sub in self._held]
        return f"it waits for {', '.join(waiting)}" if waiting else ""

    def _canary(self, path: Path, entry: AgentEntry, *, goes_live: bool) -> Iterator[Step]:
        slug = str(path[1])
        now = self._state.canary(slug)
        if entry.canary is None:
            if now is not None and not goes_live:
                yield Step(path, Action.END_CANARY, f"#{now.row.number}", do=methodcaller("end_canary", slug))
            return
        made_of = self._compose(slug, entry.canary.release, (*path, "canary", "release"))
        if made_of is None:
            return
        if not goes_live and self._state.live(slug) is None:
            yield Step(path, Action.KEEP, "no canary: there is no live release to compare it with")
            return
        is_same = now is not None and now.composition == made_of
        if is_same and now is not None and not goes_live and _tried_as(now, entry.canary):
            return
        slot = Slot(slug, made_of, now.row.number, now.row) if is_same and now else self._known(slug, made_of, entry)
        if slot is None:
            slot = Slot(slug, made_of, 0)
            yield self._make(path, slot, before=now)
        reason = self._why_held(entry, slot)
        if reason:
            yield Step(path, Action.KEEP, f"#{slot.number} as a preview: {reason}")
            return
        percent, flag = entry.canary.percent, entry.canary.flag
        whom = " and ".join([*([f"{percent} %"] if percent else []), *([f"the flag {flag}"] if flag else [])])
        do = methodcaller("start_canary", slot, percent, flag)
        yield Step(path, Action.CANARY, f"#{slot.number} for {whom}", do=do)

    def _compose(self, slug: str, release: ReleaseEntry, path: Path) -> Composition | None:
        """What a release is made of; None where a part of it is missing, which is noted as a fault."""
        faults = len(self._faults)
        profile = self._profile(slug, release, path)
        prompt = self._part("prompts", release.prompt, (*path, "prompt"))
        if release.takes_default_personality:
            personality = self._settled.default_personality()
        else:
            personality = self._part("personalities", release.personality, (*path, "personality"))
        runtime = self._part("runtime_configs", release.runtime_config, (*path, "runtime_config"))
        tools = [self._part("tools", tool, (*path, "tools", at)) for at, tool in enumerate(release.tools)]
        subs = [self._sub_agent(slug, sub, (*path, "sub_agents", at)) for at, sub in enumerate(release.sub_agents)]
        self._check_collections(release, path)
        self._check_repeated(release, path)
        if prompt is not None:
            self._check_variables(prompt, release, path)
        if profile is None or prompt is None or len(self._faults) > faults:
            return None
        return Composition(
            profile=profile,
            prompt=prompt,
            personality=personality,
            runtime_config=runtime,
            tools=tuple(tool for tool in tools if tool),
            sub_agents=tuple(sub for sub in subs if sub),
            collections=release.collections,
            variables=tuple(sorted(release.variables.items())),
        )

    def _profile(self, slug: str, release: ReleaseEntry, path: Path) -> Part | None:
        profile = self._part("agents", Reference(slug, release.profile), (*path, "profile"))
        content = self._settled.typed("agents", profile) if profile else None
        if content is not None and release.sub_agents and content.kind != "supervisor":
            self._fault((*path, "sub_agents"), "Only a supervisor has sub-agents.")
        return profile

    def _part(self, section: str, reference: Reference | None, path: Path) -> Part | None:
        if reference is None:
            return None
        try:
            return self._settled.part(section, reference)
        except Unresolved as error:
            self._fault(path, str(error))
            return None

    def _sub_agent(self, supervisor: str, reference: Reference, path: Path) -> tuple[str, Composition] | None:
        slug, number = reference.slug, reference.number
        made_of: Composition | None
        if slug == supervisor:
            self._fault(path, "An agent is no sub-agent of itself.")
            return None
        if number is None:
            live = self._state.live(slug)
            made_of = self._targets.get(slug) or (live.composition if live and not live.row.agent.deleted_at else None)
            missing = f"There is no agent {slug} with a release, neither in the document nor live in the tenant."
        else:
            there = [known.composition for known in self._state.releases_of(slug) if known.row.number == number]
            made_of = self._written.get((slug, number)) or (there[0] if there else None)
            missing = f"There is no release {number} of {slug}, neither in the document nor in the tenant."
        if made_of is None:
            self._fault(path, missing)
            return None
        content = self._settled.typed("agents", made_of.profile)
        if made_of.sub_agents or (content is not None and content.kind == "supervisor"):
            self._fault(path, f"{slug} is a supervisor itself.")
        return slug, made_of

    def _check_collections(self, release: ReleaseEntry, path: Path) -> None:
        known = self._state.collections.keys() | self._document.section("collections").keys()
        for at, slug in enumerate(release.collections):
            if slug not in known:
                message = f"There is no collection {slug}, neither in the document nor in the tenant."
                self._fault((*path, "collections", at), message)

    def _check_repeated(self, release: ReleaseEntry, path: Path) -> None:
        named: dict[str, list[Any]] = {
            "tools": [tool.slug for tool in release.tools],
            "sub_agents": [sub.slug for sub in release.sub_agents],
            "collections": list(release.collections),
        }
        for name, slugs in named.items():
            for at, slug in enumerate(slugs):
                if slug in slugs[:at]:
                    self._fault((*path, name, at), f"{slug} is there twice.")

    def _check_variables(self, prompt: Part, release: ReleaseEntry, path: Path) -> None:
        content = self._settled.typed("prompts", prompt)
        if isinstance(content, PromptContent):
            try:
                values_for(content, release.variables)
            except TemplateRefused as error:
                self._fault((*path, "variables"), str(error))

    def _fault(self, path: Path, message: str) -> None:
        self._faults.append(Place(path, message))


def _has_sub_agents(entry: AgentEntry) -> bool:
    described = [*entry.releases.values(), entry.release, entry.canary.release if entry.canary else None]
    return any(release is not None and release.sub_agents for release in described)


def _tried_as(now: KnownRelease, canary: CanaryEntry) -> bool:
    agent = now.row.agent
    return (agent.canary_percent, agent.canary_flag) == (canary.percent, canary.flag)


def _told(made_of: Composition) -> dict[str, Any]:
    """A composition as people read it."""
    named = {"prompt": made_of.prompt, "personality": made_of.personality, "runtime_config": made_of.runtime_config}
    told: dict[str, Any] = {"profile": f"version {made_of.profile.number}"}
    told |= {name: _name(part) for name, part in named.items()}
    told["tools"] = [_name(tool) for tool in made_of.tools]
    told["sub_agents"] = [f"{slug} ({_name(release.prompt)})" for slug, release in made_of.sub_agents]
    told["collections"] = list(made_of.collections)
    told["variables"] = dict(made_of.variables)
    return told


def _name(part: Part | None) -> str | None:
    return f"{part.slug}@{part.number}" if part else None
