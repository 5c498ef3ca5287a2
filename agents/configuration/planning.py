"""A document beside what a tenant has: what would have to be done for the one to be the other. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import methodcaller
from typing import Any, Final

from agents.configuration.document import REGISTRIES, CaseEntry, Entry, Wanted
from agents.configuration.exporting import spelt_out
from agents.configuration.plan import Action, Deed, Options, Plan, Step
from agents.configuration.reading import DocumentInvalid, Path, Place
from agents.configuration.serving import Releases
from agents.configuration.settled import Settled, fingerprint
from agents.configuration.state import COMPONENTS, KnownEntry, State
from agents.content.agent import ProfileContent
from agents.content.base import Content, read
from agents.content.runtime import RuntimeContent
from agents.diff import Change, diff_json
from agents.domain.endpoints import checked_address, is_same_server
from agents.providers import CAN, OPENAI_COMPATIBLE, is_own_address
from switchboard.kernel.problems import Problem

# Characters of contents that are compared word by word in one plan.
_MOST_COMPARED: Final = 1_000_000


def make_plan(wanted: Wanted, state: State, options: Options) -> Plan:
    """The steps from what a tenant has to what a document says.

    Args:
        state: loaded with the same document.

    Raises:
        DocumentInvalid: the document names what isn't there, or asks for what can't be.
    """
    planner = _Planner(wanted, state, options)
    steps = tuple(planner.steps())
    if planner.faults:
        raise DocumentInvalid(planner.faults, wanted.lines)
    return Plan(steps)


class _Planner:
    def __init__(self, wanted: Wanted, state: State, options: Options) -> None:
        self.faults: list[Place] = []
        self._document = wanted.document
        self._state = state
        self._options = options
        self._settled = Settled(wanted.document, state)
        self._compared = 0

    def steps(self) -> Iterator[Step]:
        yield from self._endpoints()
        yield from self._collections()
        yield from self._flags()
        for section in REGISTRIES:
            for slug, entry in self._document.section(section).items():
                yield from self._entry(section, slug, entry)
        agents = self._document.section("agents")
        for slug, entry in agents.items():
            yield from self._entry("agents", slug, entry)
            if entry.test_cases is not None:
                yield from self._cases(slug, entry.test_cases)
        releases = Releases(self._document, self._state, self._settled, self._options, self.faults)
        yield from releases.steps()
        if self._options.prune:
            yield from self._prune()

    def _endpoints(self) -> Iterator[Step]:
        for name, entry in self._document.section("endpoints").items():
            path: Path = ("endpoints", name)
            row = self._state.endpoints.get(name)
            provider = entry.provider or (row.provider if row else OPENAI_COMPATIBLE)
            moves = row is not None and provider != row.provider and is_own_address(row.provider, row.base_url)
            told = entry.base_url if entry.base_url is not None else row.base_url if row and not moves else ""
            try:
                address = checked_address(provider, told)
            except Problem as problem:
                self._fault((*path, "base_url"), problem.detail)
                continue
            put = methodcaller("put_endpoint", name, provider, address)
            if row is None:
                told = f"{provider} at {address} (its key, if it needs one, is entered by hand)"
                yield Step(path, Action.CREATE, told, do=put)
                continue
            before, after = (row.provider, row.base_url), (provider, address)
            changes = tuple(
                Change(field, "changed", old, new)
                for field, old, new in zip(("provider", "base_url"), before, after, strict=True)
                if old != new
            )
            if changes:
                if row.api_key and not is_same_server(row.base_url, address):
                    detail = "Its key was given for another server. Enter the new server's key where keys are entered."
                    self._fault((*path, "base_url"), detail)
                yield Step(path, Action.CHANGE, "", changes, put)

    def _collections(self) -> Iterator[Step]:
        for slug, entry in self._document.section("collections").items():
            path: Path = ("collections", slug)
            row = self._state.collections.get(slug)
            before = {"name": row.name, "description": row.description} if row else {"name": slug, "description": ""}
            said = {"name": entry.name, "description": entry.description}
            after = before | {name: value for name, value in said.items() if value is not None}
            put = methodcaller("put_collection", slug, after["name"], after["description"])
            if row is None:
                yield Step(path, Action.CREATE, "without documents", do=put)
            elif before != after:
                yield Step(path, Action.CHANGE, "", tuple(diff_json(before, after)), put)

    def _flags(self) -> Iterator[Step]:
        for key, entry in self._document.section("flags").items():
            path: Path = ("flags", key)
            values = entry.values()
            row = self._state.flags.get(key)
            put = methodcaller("put_flag", key, values)
            if row is None:
                yield Step(path, Action.CREATE, "", do=put)
                continue
            if row.deleted_at is not None:
                yield Step(path, Action.RESTORE, "", do=methodcaller("restore", "flags", key))
            changes = diff_json({name: getattr(row, name) for name in values}, values)
            if changes:
                yield Step(path, Action.CHANGE, "", tuple(changes), put)

    def _entry(self, section: str, slug: str, entry: Entry) -> Iterator[Step]:
        path: Path = (section, slug)
        known = self._state.entry(section, slug)
        content = self._content(section, slug, entry, known)
        if known is None:
            if content is None:
                self._fault(path, f"A new {COMPONENTS[section].word} needs a content.")
                return
            name, tags = entry.name or slug, entry.tags or ()
            do: Deed = methodcaller("create", section, slug, name, tags, content.as_json())
            yield Step(path, Action.CREATE, f"“{name}”", do=do)
        elif known.row.deleted_at is not None:
            yield Step(path, Action.RESTORE, "", do=methodcaller("restore", section, slug))
        yield from self._labels(path, entry, known)
        for number, version in sorted((int(number), one) for number, one in getattr(entry, "versions", {}).items()):
            yield from self._version(path, known, version, number=number)
        if content is not None:
            yield from self._version(path, known, content)
            yield from self._draft(path, known, content)

    def _content(self, section: str, slug: str, entry: Any, known: KnownEntry | None) -> Content | None:
        content: Content | None = entry.content
        if content is None and known is None and section == "agents":
            content = ProfileContent()
        for where, one in entry.contents():
            if isinstance(one, RuntimeContent):
                self._check_endpoints((section, slug, *where), one)
        return content

    def _check_endpoints(self, path: Path, content: RuntimeContent) -> None:
        known = {name: row.provider for name, row in self._state.endpoints.items()}
        for name, entry in self._document.section("endpoints").items():
            known[name] = entry.provider or known.get(name, OPENAI_COMPATIBLE)
        missing = sorted(content.endpoints() - known.keys())
        for name in missing:
            self._fault(path, f"There is no model endpoint named {name}, neither in the document nor in the tenant.")
        if not missing:
            for fault in content.endpoint_faults(known, CAN):
                self._fault((*path, *fault.field.split(".")), fault.message)

    def _labels(self, path: Path, entry: Any, known: KnownEntry | None) -> Iterator[Step]:
        """What an entry is called, and how an agent is run."""
        section, slug = str(path[0]), str(path[1])
        row = known.row if known else None
        said: dict[str, Any] = {}
        if row is not None:
            said = {"name": entry.name, "tags": list(entry.tags) if entry.tags is not None else None}
            before = {"name": row.name, "tags": list(row.tags)}
            after = before | {name: value for name, value in said.items() if value is not None}
            if before != after:
                do: Deed = methodcaller("describe", section, slug, after["name"], after["tags"])
                yield Step(path, Action.CHANGE, "", tuple(diff_json(before, after)), do)
                if before["name"] != after["name"] and section == "agents":
                    self._settled.renamed.add(slug)
        if section == "agents":
            was = {"status": row.status if row else "active", "require_tests": bool(row and row.require_tests)}
            now = {name: getattr(entry, name) if getattr(entry, name) is not None else was[name] for name in was}
            if was != now:
                do = methodcaller("configure", slug, now["status"], now["require_tests"])
                yield Step(path, Action.CHANGE, "", tuple(diff_json(was, now)), do)
        elif section == "personalities" and entry.default is not None:
            is_default = bool(row and row.is_default)
            if is_default != entry.default:
                change = Change("default", "changed", is_default, entry.default)
                yield Step(path, Action.CHANGE, "", (change,), methodcaller("make_default", slug, entry.default))

    def _version(
        self, path: Path, known: KnownEntry | None, content: Content, *, number: int | None = None
    ) -> Iterator[Step]:
        """A content that is published, unless it is already: as the newest, or as any where it has a number."""
        section, slug = str(path[0]), str(path[1])
        checksum = fingerprint(content)
        if number is not None:
            self._settled.written[section, slug, number] = checksum
        latest = self._settled.latest(section, slug)
        if number is not None and self._settled.has_version(section, slug, checksum):
            return
        if number is None and latest is not None and latest.checksum == checksum:
            return
        before = self._settled.content(section, slug)
        changes = (
            self._differences(spelt_out(before), spelt_out(content)) if before is not None and number is None else []
        )
        made = self._settled.publish(section, slug, content, number or 0)
        keep = self._is_kept(known, content) or number is not None
        do = methodcaller("publish", section, slug, content.as_json(), made.number, keep)
        yield Step(path, Action.PUBLISH, f"version {made.number}", tuple(changes), do)

    def _differences(self, before: Any, after: Any) -> list[Change]:
        """What differs between two contents, as long as that has compared no more than anybody reads."""
        self._compared += len(str(before)) + len(str(after))
        if self._compared > _MOST_COMPARED:
            return [Change("content", "changed", "…", "too much of it differs to show each word")]
        return diff_json(before, after)

    def _draft(self, path: Path, known: KnownEntry | None, content: Content) -> Iterator[Step]:
        """What becomes of a draft that somebody hasn't published."""
        if known is None or not known.row.has_unpublished_changes or _is_draft(known, content):
            return
        if not self._options.overwrite_drafts:
            who = f" by {known.row.drafted_by}" if known.row.drafted_by_id else ""
            yield Step(path, Action.KEEP, f"the draft{who} that isn't published yet")
            return
        section, slug = str(path[0]), str(path[1])
        if known.latest is not None and known.latest.checksum == fingerprint(content):
            do = methodcaller("publish", section, slug, content.as_json(), 0, False)
            yield Step(path, Action.OVERWRITE_DRAFT, "", do=do)

    def _is_kept(self, known: KnownEntry | None, content: Content) -> bool:
        if known is None or self._options.overwrite_drafts:
            return False
        return bool(known.row.has_unpublished_changes) and not _is_draft(known, content)

    def _cases(self, slug: str, cases: Mapping[str, CaseEntry]) -> Iterator[Step]:
        for name, case in cases.items():
            path: Path = ("agents", slug, "test_cases", name)
            values = case.values()
            row = self._state.cases.get(slug, {}).get(name)
            do = methodcaller("put_case", slug, name, values)
            if row is None:
                yield Step(path, Action.CREATE, f"the test case “{name}”", do=do)
                continue
            changes = diff_json({field: getattr(row, field) for field in values}, values)
            if changes:
                yield Step(path, Action.CHANGE, f"the test case “{name}”", tuple(changes), do)

        gone = sorted(self._state.cases.get(slug, {}).keys() - cases.keys()) if self._options.prune else []
        for name in gone:
            do = methodcaller("delete_case", slug, name)
            yield Step(("agents", slug, "test_cases", name), Action.DELETE, f"the test case “{name}”", do=do)

    def _prune(self) -> Iterator[Step]:
        """Agents first: what they are made of can be deleted once they are."""
        for section in ("agents", *REGISTRIES):
            if getattr(self._document, section) is None:
                continue
            for slug, known in sorted(self._state.entries[section].items()):
                if known.row.deleted_at is not None or slug in self._document.section(section):
                    continue
                path: Path = (section, slug)
                if known.row.has_unpublished_changes and not self._options.overwrite_drafts:
                    yield Step(path, Action.KEEP, "what the document doesn't name: its draft isn't published yet")
                else:
                    yield Step(path, Action.DELETE, "", do=methodcaller("delete", section, slug))
        if self._document.flags is not None:
            for key, row in sorted(self._state.flags.items()):
                if row.deleted_at is None and key not in self._document.flags:
                    yield Step(("flags", key), Action.DELETE, "", do=methodcaller("delete", "flags", key))

    def _fault(self, path: Path, message: str) -> None:
        self.faults.append(Place(path, message))


def _is_draft(known: KnownEntry, content: Content) -> bool:
    """Whether an entry's draft says what the document says."""
    draft, _ = read(type(content), known.row.draft)
    return draft is not None and fingerprint(draft) == fingerprint(content)
