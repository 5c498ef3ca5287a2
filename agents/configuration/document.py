"""What may stand in a document, section by section.

What an entry leaves out stays as it is, and is the default for a new one; `content` is whole, fields that it leaves out
are their defaults.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, ValidationError

from agents.configuration.reading import DocumentInvalid, Path, Place, Source
from agents.content.agent import ProfileContent
from agents.content.base import MOST_BYTES, Content, Part
from agents.content.personality import PersonalityContent
from agents.content.prompt import PromptContent
from agents.content.runtime import RuntimeContent
from agents.content.testcase import MOST_TURNS, CaseContent, CaseTurn
from agents.content.tool import ToolContent
from agents.domain.test_cases import MOST_CASES
from agents.models import Component, Personality, Prompt, RuntimeConfig, Tool
from tenants.flags.models import KEY_PATTERN
from tenants.flags.rules import Rule, as_json

# The registries as sections of a document, in the order in which they are applied.
REGISTRIES: Final[Mapping[str, type[Component]]] = {
    "prompts": Prompt,
    "tools": Tool,
    "personalities": Personality,
    "runtime_configs": RuntimeConfig,
}
SECTIONS: Final = ("endpoints", "collections", "flags", *REGISTRIES, "agents")
_REFERENCE: Final = re.compile(r"([a-z0-9][a-z0-9-]{0,59})(?:@(latest|[1-9][0-9]{0,8}))?\Z")


def _line(value: str) -> str:
    stripped = value.strip()
    if not stripped:
        raise ValueError("The text is blank.")
    return stripped


def _tags(tags: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_line(tag) for tag in tags))


def _reference(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = _REFERENCE.match(value)
    if match is None:
        raise ValueError("Name an entry by its slug, such as greeting, greeting@latest or greeting@3.")
    return Reference(match[1], None if match[2] in (None, "latest") else int(match[2]))


@dataclass(frozen=True, slots=True)
class Reference:
    """An entry that a release is made of. Without a number its newest version is meant, or a sub-agent's release."""

    slug: str
    number: int | None = None

    def __str__(self) -> str:
        return f"{self.slug}@{self.number or 'latest'}"


Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")]
CollectionSlug = Annotated[str, Field(pattern=r"^[-a-zA-Z0-9_]{1,60}$")]
Number = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,8}$")]
Name = Annotated[str, AfterValidator(_line), Field(max_length=120)]
Tags = Annotated[tuple[Annotated[str, Field(max_length=40)], ...], AfterValidator(_tags), Field(max_length=20)]
# Kept to the letter, as the rows these are compared with.
Exact = Annotated[str, StringConstraints(strip_whitespace=False, max_length=100_000)]
ShortExact = Annotated[str, StringConstraints(strip_whitespace=False, max_length=500)]
PartReference = Annotated[Reference, BeforeValidator(_reference)]


Provider = Literal[
    "openai", "anthropic", "google", "groq", "deepgram", "cartesia", "elevenlabs", "rime", "openai_compatible"
]


class EndpointEntry(Part):
    """Where models are reached. Its key is entered where it is, never here."""

    provider: Provider | None = None
    base_url: Annotated[str, Field(max_length=500)] | None = None


class CollectionEntry(Part):
    """A knowledge base. Its documents are uploaded, they are no configuration."""

    name: Name | None = None
    description: Exact | None = None


class FlagEntry(Part):
    description: ShortExact | None = None
    enabled: bool | None = None
    rules: list[Rule] | None = Field(default=None, max_length=50)
    default: bool | None = None

    def values(self) -> dict[str, Any]:
        """What it says, as it is stored."""
        said = {name: getattr(self, name) for name in ("description", "enabled", "rules", "default")}
        if self.rules is not None:
            said["rules"] = as_json(self.rules)
        return {name: value for name, value in said.items() if value is not None}


class Entry(Part):
    """An entry of a registry.

    `versions` holds older contents that a release is still made of, by their number; `content` is the newest.
    """

    name: Name | None = None
    tags: Tags | None = None

    def contents(self) -> Iterator[tuple[Path, Content]]:
        """Every content it holds, and where."""
        for number, content in getattr(self, "versions", {}).items():
            yield ("versions", number), content
        content = getattr(self, "content", None)
        if content is not None:
            yield ("content",), content


class PromptEntry(Entry):
    content: PromptContent | None = None
    versions: dict[Number, PromptContent] = {}


class ToolEntry(Entry):
    content: ToolContent | None = None
    versions: dict[Number, ToolContent] = {}


class PersonalityEntry(Entry):
    default: bool | None = None
    content: PersonalityContent | None = None
    versions: dict[Number, PersonalityContent] = {}


class RuntimeEntry(Entry):
    content: RuntimeContent | None = None
    versions: dict[Number, RuntimeContent] = {}


class ReleaseEntry(Part):
    """What a release is made of, by name."""

    profile: int | None = Field(default=None, ge=1, description="A version of the agent itself; left out: the newest.")
    prompt: PartReference
    personality: PartReference | None = Field(default=None, description="Left out: the tenant's default; null: none.")
    runtime_config: PartReference | None = None
    tools: tuple[PartReference, ...] = ()
    sub_agents: tuple[PartReference, ...] = ()
    collections: tuple[CollectionSlug, ...] = ()
    variables: dict[str, Exact] = {}

    @property
    def takes_default_personality(self) -> bool:
        return "personality" not in self.model_fields_set


class CanaryEntry(Part):
    percent: int = Field(default=0, ge=0, le=100)
    flag: Annotated[str, Field(max_length=100)] = ""
    release: ReleaseEntry


class CaseEntry(Part):
    """A test case: what is said and expected, turn by turn."""

    tags: Tags = ()
    turns: tuple[CaseTurn, ...] = Field(max_length=MOST_TURNS)
    judge_optional: bool = False
    enabled: bool = True

    def values(self) -> dict[str, Any]:
        """What it says, as it is stored."""
        turns = CaseContent(turns=self.turns).as_json()["turns"]
        return {
            "tags": list(self.tags),
            "turns": turns,
            "judge_optional": self.judge_optional,
            "enabled": self.enabled,
        }


class AgentEntry(Entry):
    """An agent. `release` is what serves, `releases` holds those that a supervisor is still made of."""

    status: Literal["active", "paused"] | None = None
    require_tests: bool | None = None
    content: ProfileContent | None = None
    versions: dict[Number, ProfileContent] = {}
    test_cases: dict[Name, CaseEntry] | None = Field(default=None, max_length=MOST_CASES)
    release: ReleaseEntry | None = None
    canary: CanaryEntry | None = None
    releases: dict[Number, ReleaseEntry] = {}

    @property
    def speaks_of_canary(self) -> bool:
        return "canary" in self.model_fields_set


class Document(Part):
    """A tenant's configuration, or a part of it. A section that is left out is not looked at."""

    switchboard: Literal[1]
    endpoints: dict[Annotated[str, Field(min_length=1, max_length=80)], EndpointEntry] | None = None
    collections: dict[CollectionSlug, CollectionEntry] | None = None
    flags: dict[Annotated[str, Field(pattern=rf"^{KEY_PATTERN}$", max_length=100)], FlagEntry] | None = None
    prompts: dict[Slug, PromptEntry] | None = None
    tools: dict[Slug, ToolEntry] | None = None
    personalities: dict[Slug, PersonalityEntry] | None = None
    runtime_configs: dict[Slug, RuntimeEntry] | None = None
    agents: dict[Slug, AgentEntry] | None = None

    def section(self, name: str) -> Mapping[str, Any]:
        """A section's entries; none where it is left out."""
        return getattr(self, name) or {}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A document that is well by itself, and where each of its values stands."""

    document: Document
    lines: Mapping[Path, int]


def read_document(source: Source, *, only: Sequence[str] = ()) -> Wanted:
    """A document, checked as far as that goes without looking at a tenant.

    Args:
        source: what `read_text` made of its text.
        only: sections and entries, such as `agents` or `agents/marina`, to take from it; empty takes everything.

    Raises:
        DocumentInvalid: with every fault, its path and its line.
    """
    data = source.data
    if not isinstance(data, dict):
        raise DocumentInvalid([Place((), "A document is a mapping that begins with switchboard: 1.")], source.lines)
    padded = [
        Place((section, entry), "A name has no spaces around it.")
        for section in SECTIONS
        if isinstance(data.get(section), dict)
        for entry in data[section]
        if entry != entry.strip()
    ]
    if padded:
        raise DocumentInvalid(padded, source.lines)
    try:
        document = Document.model_validate(data)
    except ValidationError as error:
        raise DocumentInvalid(_places(error), source.lines) from None
    faults = list(_faults(document))
    if faults:
        raise DocumentInvalid(faults, source.lines)
    return Wanted(_only(document, only), source.lines)


def selects(only: Sequence[str], section: str, entry: str = "") -> bool:
    """Whether a choice of sections and entries takes one of them in; without an entry: any part of the section."""
    if not only:
        return True
    if not entry:
        return any(one == section or one.startswith(f"{section}/") for one in only)
    return section in only or f"{section}/{entry}" in only


def _only(document: Document, only: Sequence[str]) -> Document:
    if not only:
        return document
    for one in only:
        section, _, entry = one.partition("/")
        if section not in SECTIONS or (entry and entry not in document.section(section)):
            raise DocumentInvalid([Place((), f"There is no {one} in the document to be chosen.")])
    chosen = {
        section: {entry: value for entry, value in document.section(section).items() if selects(only, section, entry)}
        for section in SECTIONS
        if getattr(document, section) is not None and selects(only, section)
    }
    return document.model_copy(update={section: chosen.get(section) for section in SECTIONS})


def _places(error: ValidationError) -> Iterator[Place]:
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        path = _without_union(fault["loc"])
        if path and path[-1] == "[key]":
            yield Place(path[:-1], f"This can't be a name here. {_sentence(fault['msg'])}")
        elif fault["type"] == "extra_forbidden":
            yield Place(path, f"There is no field {path[-1]} here.")
        elif fault["type"] == "missing" and path == ("switchboard",):
            yield Place((), "A document begins with switchboard: 1, the version of its form.")
        else:
            yield Place(path, _sentence(fault["msg"]))


def _faults(document: Document) -> Iterator[Place]:
    """What is wrong although every field by itself is well."""
    for section in (*REGISTRIES, "agents"):
        for slug, entry in document.section(section).items():
            for where, content in entry.contents():
                path = (section, slug, *where)
                for fault in content.faults():
                    yield Place((*path, *_parts(fault.field)), fault.message)
                if len(content.model_dump_json().encode()) > MOST_BYTES:
                    yield Place(path, f"A content may have {MOST_BYTES // 1024} KB.")
    defaults = [slug for slug, entry in document.section("personalities").items() if entry.default]
    for slug in defaults[1:]:
        yield Place(("personalities", slug, "default"), f"One personality is the default, and {defaults[0]} is it.")
    for slug, entry in document.section("agents").items():
        for name, case in (entry.test_cases or {}).items():
            for fault in CaseContent(turns=case.turns).faults():
                yield Place(("agents", slug, "test_cases", name, fault.field), fault.message)
        canary = entry.canary
        if canary and not canary.percent and not canary.flag:
            yield Place(("agents", slug, "canary"), "Give a percentage, a flag or both.")


def _without_union(path: Path) -> Path:
    """A fault's place without the name that pydantic gives to a member of a union: what an expectation is."""
    if "expect" not in path:
        return path
    member = path.index("expect") + 2
    return (*path[:member], *path[member + 1 :])


def _parts(dotted: str) -> Path:
    return tuple(int(part) if part.isdigit() else part for part in dotted.split("."))


def _sentence(message: str) -> str:
    text = message.removeprefix("Value error, ")
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
