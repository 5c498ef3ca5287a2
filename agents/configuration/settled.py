"""What a tenant will have once the steps planned so far are done: versions by what they hold, not by their ids."""

from __future__ import annotations

from typing import Any

from agents.configuration.document import Document, Reference
from agents.configuration.state import COMPONENTS, Part, State
from agents.content.base import Content, checksum_of, read


class Unresolved(ValueError):
    """A document names what will not be there; the message says what."""


def fingerprint(content: Content) -> str:
    """The checksum that a version of this content has."""
    return checksum_of(content.as_json())


class Settled:
    """Begins as the state is; the planner tells it what will be published."""

    def __init__(self, document: Document, state: State) -> None:
        self.renamed: set[str] = set()  # agents, by slug
        # What the document means by a version's number, which may be another number here.
        self.written: dict[tuple[str, str, int], str] = {}
        self._document = document
        self._state = state
        self._latest: dict[tuple[str, str], Part] = {}
        self._published: dict[tuple[str, str, str], Content] = {}

    def latest(self, section: str, slug: str) -> Part | None:
        """The newest version of an entry."""
        if (section, slug) in self._latest:
            return self._latest[section, slug]
        entry = self._state.entry(section, slug)
        if entry is None or entry.latest is None:
            return None
        return Part(slug, entry.latest.checksum, entry.latest.number)

    def content(self, section: str, slug: str) -> Any:
        """What the newest version holds: typed where that is possible, None where there is none."""
        part = self.latest(section, slug)
        if part is None:
            return None
        typed = self.typed(section, part)
        if typed is not None:
            return typed
        entry = self._state.entry(section, slug)
        return entry.latest.content if entry and entry.latest else None

    def typed(self, section: str, part: Part) -> Any:
        """What a version holds, where that is known: of the newest, and of what is published now."""
        published = self._published.get((section, part.slug, part.checksum))
        if published is not None:
            return published
        entry = self._state.entry(section, part.slug)
        if entry is None or entry.latest is None or entry.latest.checksum != part.checksum:
            return None
        return read(COMPONENTS[section].content_type, entry.latest.content or {})[0]

    def has_version(self, section: str, slug: str, checksum: str) -> bool:
        """Whether any version holds this."""
        entry = self._state.entry(section, slug)
        known = {version.checksum for version in entry.versions.values()} if entry else set()
        return checksum in known or (section, slug, checksum) in self._published

    def publish(self, section: str, slug: str, content: Content, number: int) -> Part:
        """Note that a content becomes the newest version; returns it, with the number it gets: at least this one."""
        before = self.latest(section, slug)
        part = Part(slug, fingerprint(content), max(number, before.number + 1 if before else 1))
        self._latest[section, slug] = part
        self._published[section, slug, part.checksum] = content
        return part

    def part(self, section: str, reference: Reference) -> Part:
        """What a release's part means.

        Raises:
            Unresolved: it will not be there.
        """
        word, slug = COMPONENTS[section].word, reference.slug
        entry = self._state.entry(section, slug)
        described = slug in self._document.section(section)
        if entry is None and not described:
            raise Unresolved(f"There is no {word} {slug}, neither in the document nor in the tenant.")
        if entry is not None and entry.row.deleted_at is not None and not described:
            raise Unresolved(f"The {word} {slug} is deleted. Describe it in the document to have it back.")
        if reference.number is not None:
            return self.numbered(section, slug, reference.number)
        latest = self.latest(section, slug)
        if latest is None:
            raise Unresolved(f"The {word} {slug} has no published version.")
        return latest

    def numbered(self, section: str, slug: str, number: int) -> Part:
        """A version by its number: the document's own, else the tenant's.

        Raises:
            Unresolved: neither has it.
        """
        written = self.written.get((section, slug, number))
        if written is not None:
            return Part(slug, written, number)
        entry = self._state.entry(section, slug)
        version = entry.versions.get(number) if entry else None
        if version is None:
            detail = f"There is no version {number} of the {COMPONENTS[section].word} {slug}"
            raise Unresolved(f"{detail}, neither under its versions in the document nor in the tenant.")
        return Part(slug, version.checksum, number)

    def default_personality(self) -> Part | None:
        """The newest version of the tenant's default personality."""
        described = self._document.section("personalities")
        chosen = [slug for slug, entry in described.items() if entry.default]
        if not chosen:
            chosen = [
                slug
                for slug, known in self._state.entries["personalities"].items()
                if (known.row.is_default and known.row.deleted_at is None and slug not in described)
                or (known.row.is_default and slug in described and described[slug].default is None)
            ]
        return self.latest("personalities", chosen[0]) if chosen else None
