"""A tenant's configuration as plain values, in one order: twice the same, byte for byte.

What is published and what serves is written; drafts, keys, ids and times are not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from agents.configuration.document import SECTIONS, selects
from agents.configuration.state import COMPONENTS, Composition, KnownEntry, Part, State
from agents.content.base import Content
from agents.content.testcase import CaseContent
from switchboard.kernel.problems import Invalid


@dataclass(frozen=True, slots=True)
class Exported:
    """A document, and the entries that aren't in it, for nothing of them was published yet."""

    data: dict[str, Any]
    left_out: tuple[str, ...]


def export(state: State, *, only: Sequence[str] = ()) -> Exported:
    """What a tenant has, as a document.

    Args:
        only: sections and entries, such as `agents` or `agents/marina`; empty takes everything.

    Raises:
        Invalid: `unknown_entry`, where there is nothing of the name.
    """
    exporter = _Exporter(state)
    data: dict[str, Any] = {"switchboard": 1}
    for section in SECTIONS:
        if selects(only, section):
            entries = exporter.section(section)
            chosen = {name: value for name, value in entries.items() if selects(only, section, name)}
            data[section] = {name: chosen[name] for name in sorted(chosen)}
    for one in only:
        section, _, name = one.partition("/")
        if section not in SECTIONS or (name and name not in data[section]):
            raise Invalid("unknown_entry", f"There is no {one} that could be exported.")
    left_out = [
        f"{section}/{slug}"
        for section in COMPONENTS
        for slug, entry in state.entries[section].items()
        if entry.latest is None and entry.row.deleted_at is None and selects(only, section, slug)
    ]
    return Exported(data, tuple(sorted(left_out)))


def spelt_out(value: Any) -> Any:
    """A content as a document holds it: fields in their order, without those that say their default."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        return {
            name: spelt_out(getattr(value, name))
            for name in fields
            if fields[name].is_required() or getattr(value, name) != fields[name].get_default(call_default_factory=True)
        }
    if isinstance(value, Mapping):
        return {key: spelt_out(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [spelt_out(item) for item in value]
    return value


class _Exporter:
    def __init__(self, state: State) -> None:
        self._state = state
        # Older versions and releases that something which serves is made of: the number each is written under.
        self._versions: dict[tuple[str, str], dict[str, int]] = {}
        self._contents: dict[tuple[str, str, str], Mapping[str, Any]] = {}
        self._releases: dict[str, dict[Composition, int]] = {}
        for slug in state.entries["agents"]:
            for known in (state.live(slug), state.canary(slug)):
                if known is not None and known.row.agent.deleted_at is None:
                    self._pin(known.row.agent.slug, known.composition)
                    self._pin_subs(known.row.sub_release_ids)
        self._keep_contents()

    def section(self, section: str) -> dict[str, Any]:
        """All entries of a section."""
        state = self._state
        match section:
            case "endpoints":
                return {
                    name: {"provider": row.provider, "base_url": row.base_url} for name, row in state.endpoints.items()
                }
            case "collections":
                return {
                    slug: {"name": row.name, "description": row.description} for slug, row in state.collections.items()
                }
            case "flags":
                return {key: _flag(row) for key, row in state.flags.items() if row.deleted_at is None}
        return {
            slug: self._entry(section, slug, entry)
            for slug, entry in state.entries[section].items()
            if entry.latest is not None and (entry.row.deleted_at is None or (section, slug) in self._versions)
        }

    def _entry(self, section: str, slug: str, entry: KnownEntry) -> dict[str, Any]:
        row = entry.row
        assert entry.latest is not None
        # Also what is empty: whoever goes back to an older document wants it empty again.
        data: dict[str, Any] = {"name": row.name, "tags": list(row.tags)}
        if section == "personalities":
            data["default"] = row.is_default
        if section == "agents":
            data["status"] = row.status
            data["require_tests"] = row.require_tests
        data["content"] = self._content(section, entry.latest.content or {})
        older = {
            number: self._contents[section, slug, checksum]
            for checksum, number in self._versions.get((section, slug), {}).items()
            if checksum != entry.latest.checksum
        }
        if older:
            data["versions"] = {str(number): self._content(section, older[number]) for number in sorted(older)}
        if section == "agents":
            data |= self._agent(slug)
        return data

    def _agent(self, slug: str) -> dict[str, Any]:
        cases = self._state.cases.get(slug, {})
        data: dict[str, Any] = {"test_cases": {name: _case(cases[name]) for name in sorted(cases)}}
        live, canary = self._state.live(slug), self._state.canary(slug)
        if live is not None:
            data["release"] = self._release(slug, live.composition)
            data["canary"] = None
        if canary is not None:
            row = canary.row.agent
            data["canary"] = {
                **({"percent": row.canary_percent} if row.canary_percent else {}),
                **({"flag": row.canary_flag} if row.canary_flag else {}),
                "release": self._release(slug, canary.composition),
            }
        pinned = {number: made_of for made_of, number in self._releases.get(slug, {}).items()}
        if pinned:
            data["releases"] = {str(number): self._release(slug, pinned[number]) for number in sorted(pinned)}
        return data

    def _release(self, slug: str, made_of: Composition) -> dict[str, Any]:
        data: dict[str, Any] = {}
        profile = self._number("agents", made_of.profile)
        if profile:
            data["profile"] = profile
        data["prompt"] = self._reference("prompts", made_of.prompt)
        personality, runtime = made_of.personality, made_of.runtime_config
        data["personality"] = self._reference("personalities", personality) if personality else None
        if runtime:
            data["runtime_config"] = self._reference("runtime_configs", runtime)
        if made_of.tools:
            data["tools"] = [self._reference("tools", tool) for tool in made_of.tools]
        if made_of.sub_agents:
            data["sub_agents"] = [self._sub_agent(sub, release) for sub, release in made_of.sub_agents]
        if made_of.collections:
            data["collections"] = list(made_of.collections)
        if made_of.variables:
            data["variables"] = dict(made_of.variables)
        return data

    def _reference(self, section: str, part: Part) -> str:
        return f"{part.slug}@{self._number(section, part) or 'latest'}"

    def _number(self, section: str, part: Part) -> int | None:
        """What an older version is written under; None for the newest."""
        entry = self._state.entry(section, part.slug)
        if entry is not None and entry.latest is not None and entry.latest.checksum == part.checksum:
            return None
        return self._versions[section, part.slug][part.checksum]

    def _sub_agent(self, slug: str, made_of: Composition) -> str:
        number = self._releases.get(slug, {}).get(made_of)
        return f"{slug}@{number}" if number else slug

    def _content(self, section: str, raw: Mapping[str, Any]) -> Any:
        kind: type[Content] = COMPONENTS[section].content_type
        try:
            return spelt_out(kind.model_validate(raw))
        except ValidationError:  # published when the rules were others
            return spelt_out(raw)

    def _pin(self, agent: str, made_of: Composition) -> None:
        parts = [
            ("agents", Part(agent, made_of.profile.checksum, made_of.profile.number)),
            ("prompts", made_of.prompt),
            ("personalities", made_of.personality),
            ("runtime_configs", made_of.runtime_config),
            *[("tools", tool) for tool in made_of.tools],
        ]
        for section, part in parts:
            if part is not None:
                numbers = self._versions.setdefault((section, part.slug), {})
                numbers[part.checksum] = max(part.number, numbers.get(part.checksum, 0))

    def _pin_subs(self, release_ids: Sequence[Any]) -> None:
        for known in (self._state.releases[pk] for pk in release_ids):
            slug = known.row.agent.slug
            self._pin(slug, known.composition)
            live = self._state.live(slug)
            if live is None or live.composition != known.composition:
                numbers = self._releases.setdefault(slug, {})
                numbers[known.composition] = max(known.row.number, numbers.get(known.composition, 0))

    def _keep_contents(self) -> None:
        """The contents of pinned versions, which the releases themselves hold."""
        for known in self._state.releases.values():
            held = known.row.snapshot
            parts = [("agents", held["profile"]), ("prompts", held["prompt"])]
            parts += [("personalities", held["personality"]), ("runtime_configs", held["runtime_config"])]
            parts += [("tools", tool) for tool in held["tools"]]
            for section, part in parts:
                if part:
                    self._contents[section, part["slug"], part["checksum"]] = part["content"]


def _flag(row: Any) -> dict[str, Any]:
    return {
        "description": row.description,
        "enabled": row.enabled,
        "rules": [spelt_out(rule) for rule in row.rules],
        "default": row.default,
    }


def _case(row: Any) -> dict[str, Any]:
    return {
        "tags": list(row.tags),
        "turns": spelt_out(CaseContent.model_validate({"turns": row.turns}))["turns"],
        "judge_optional": row.judge_optional,
        "enabled": row.enabled,
    }
