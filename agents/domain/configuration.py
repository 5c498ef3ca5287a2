"""Configuration as code: a document applied to a tenant, all of it or nothing."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db import connection, transaction

from agents.configuration.document import Wanted
from agents.configuration.plan import AS_WRITTEN, Options, Plan, Step
from agents.configuration.planning import make_plan
from agents.configuration.reading import DocumentInvalid, Place
from agents.configuration.serving import Slot
from agents.configuration.state import COMPONENTS, Composition, Part, State, hold_rows, load
from agents.domain import components, endpoints, releases
from agents.domain.agents import configure_agent
from agents.domain.composition import Parts
from agents.domain.personalities import set_default
from agents.domain.test_cases import create_test_case, delete_test_case, update_test_case
from agents.models import Agent, Personality, Release
from knowledge.domain.collection import create_collection, update_collection
from switchboard.kernel.problems import Problem
from switchboard.kernel.text import check_note
from tenants.actor import doing
from tenants.context import current_tenant
from tenants.flags.domain import flags
from tenants.staff.models import User

# Somebody else was quicker: what there is now is looked at again.
_OVERTAKEN: Final = frozenset(
    {"stale", *(f"{what}_exists" for what in ("component", "collection", "endpoint", "flag", "test_case"))}
)
_TRIES: Final = 4


def plan_configuration(*, wanted: Wanted, options: Options = AS_WRITTEN) -> Plan:
    """What applying a document would come to, without doing any of it.

    Raises:
        DocumentInvalid: 422 `configuration_invalid`, with every fault.
    """
    return make_plan(wanted, load(wanted.document), options)


def apply_configuration(
    *,
    wanted: Wanted,
    options: Options = AS_WRITTEN,
    dry_run: bool = False,
    message: str = "",
    by: User | None = None,
) -> Plan:
    """Make the tenant in force what a document says: all of it, or nothing where any part of it fails.

    Two at once follow each other; the second sees what the first has done.

    Args:
        dry_run: do everything, then take it back: what would be refused is refused.
        message: why; it goes to every version and release that is made.
        by: who applies it, if a person does.

    Returns:
        What was done.

    Raises:
        DocumentInvalid: 422 `configuration_invalid`, with every fault.
    """
    note = check_note(message)
    for left in reversed(range(_TRIES)):
        try:
            with transaction.atomic(), doing("config.applied", note):
                _wait_for_turn()
                hold_rows(wanted.document, everything=options.prune)
                state = load(wanted.document)
                plan = make_plan(wanted, state, options)
                performer = Performer(state, message=note, by=by)
                for step in plan.steps:
                    _perform(step, performer, wanted)
                transaction.set_rollback(dry_run)
                return plan
        except Problem as problem:
            if problem.code not in _OVERTAKEN or not left:
                raise
    raise AssertionError("the last try returns or raises")


def _wait_for_turn() -> None:
    """One document at a time in each tenant. The lock goes with the transaction, however that ends."""
    with connection.cursor() as cursor:
        name = current_tenant().schema_name
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('configuration'), hashtext(%s))", [name])


def _perform(step: Step, performer: Performer, wanted: Wanted) -> None:
    if step.do is None:
        return
    try:
        step.do(performer)
    except Problem as problem:
        if problem.code in _OVERTAKEN:
            raise
        places = [Place((*step.path, *error["field"].split(".")), error["message"]) for error in problem.errors]
        raise DocumentInvalid(places or [Place(step.path, problem.detail)], wanted.lines) from None


class Performer:
    """Carries the steps of a plan out, by the rules that hold for everybody."""

    def __init__(self, state: State, *, message: str, by: User | None) -> None:
        self._state = state
        self._message = message
        self._by = by
        self._rows: dict[tuple[str, str], Any] = {
            (section, slug): known.row for section, entries in state.entries.items() for slug, known in entries.items()
        }
        self._versions: dict[tuple[str, str, str], uuid.UUID] = {}
        for section, entries in state.entries.items():
            for slug, known in entries.items():
                for version in sorted(known.versions.values(), key=lambda version: version.number):
                    self._versions[section, slug, version.checksum] = version.id
        self._releases: dict[tuple[str, Composition], Release] = {}
        # Of several that are alike the live one is meant, else the newest.
        ranked = sorted(
            state.releases.values(), key=lambda one: (one.row.pk == one.row.agent.live_release_id, one.row.number)
        )
        for one in ranked:
            self._releases[one.row.agent.slug, one.composition] = one.row
            self._keep_parts(one.row, one.composition)

    def put_endpoint(self, name: str, provider: str, base_url: str) -> None:
        row = self._state.endpoints.get(name)
        if row is None:
            endpoints.create_endpoint(name=name, provider=provider, base_url=base_url)
        else:
            endpoints.update_endpoint(endpoint=row, name=name, provider=provider, base_url=base_url)

    def put_collection(self, slug: str, name: str, description: str) -> None:
        row = self._state.collections.get(slug)
        if row is None:
            made = create_collection(name=name, slug=slug, description=description)
            self._state.collections[slug] = made
        else:
            update_collection(collection=row, name=name, slug=slug, description=description)

    def put_flag(self, key: str, values: Mapping[str, Any]) -> None:
        row = self._state.flags.get(key)
        if row is None:
            flags.create_flag(key=key, message=self._message, **values)
        else:
            flags.update_flag(flag=row, message=self._message, **values)

    def create(self, section: str, slug: str, name: str, tags: Sequence[str], content: Mapping[str, Any]) -> None:
        kind = COMPONENTS[section]
        self._rows[section, slug] = components.create_component(
            kind, name=name, slug=slug, tags=tags, content=content, by=self._by
        )

    def restore(self, section: str, slug: str) -> None:
        if section == "flags":
            flags.restore_flag(flag=self._state.flags[slug], message=self._message)
        else:
            row = self._rows[section, slug]
            components.restore_component(component=row)
            row.refresh_from_db(fields=["deleted_at"])

    def describe(self, section: str, slug: str, name: str, tags: Sequence[str]) -> None:
        components.describe_component(component=self._rows[section, slug], name=name, tags=tags)

    def configure(self, slug: str, status: str, require_tests: bool) -> None:
        agent: Agent = self._rows["agents", slug]
        configure_agent(agent=agent, status=status, require_tests=require_tests)

    def make_default(self, slug: str, is_default: bool) -> None:
        row: Personality = self._rows["personalities", slug]
        set_default(personality=row, is_default=is_default, message=self._message)

    def publish(self, section: str, slug: str, content: Mapping[str, Any], number: int, keep_draft: bool) -> None:
        row = self._rows[section, slug]
        published = components.publish_content(
            component=row,
            content=content,
            number=number,
            keep_draft=keep_draft,
            message=self._message,
            seen_revision=row.draft_revision,
            by=self._by,
        )
        row.refresh_from_db(fields=["draft_revision"])
        self._versions[section, slug, published.version.checksum] = published.version.pk

    def put_case(self, slug: str, name: str, values: Mapping[str, Any]) -> None:
        row = self._state.cases.get(slug, {}).get(name)
        if row is None:
            create_test_case(agent=self._rows["agents", slug], name=name, by=self._by, **values)
        else:
            update_test_case(case=row, seen_revision=row.revision, by=self._by, **values)

    def delete_case(self, slug: str, name: str) -> None:
        delete_test_case(case=self._state.cases[slug][name])

    def make_release(self, slot: Slot) -> None:
        made_of = slot.made_of
        parts = Parts(
            profile=self._version("agents", made_of.profile),
            prompt=self._version("prompts", made_of.prompt),
            personality=self._version("personalities", made_of.personality) if made_of.personality else None,
            runtime_config=self._version("runtime_configs", made_of.runtime_config) if made_of.runtime_config else None,
            tools=tuple(self._version("tools", tool) for tool in made_of.tools),
            sub_releases=tuple(self._releases[sub].pk for sub in made_of.sub_agents),
            collections=tuple(self._state.collections[slug].pk for slug in made_of.collections),
            variables=dict(made_of.variables),
        )
        agent: Agent = self._rows["agents", slot.agent]
        slot.row = releases.make_release(
            agent=agent, parts=parts, number=slot.number, message=self._message, by=self._by
        )
        self._releases[slot.agent, made_of] = slot.row

    def go_live(self, slot: Slot) -> None:
        releases.go_live(release=_made(slot), message=self._message)

    def start_canary(self, slot: Slot, percent: int, flag: str) -> None:
        releases.start_canary(release=_made(slot), percent=percent, flag=flag, message=self._message)

    def end_canary(self, slug: str) -> None:
        releases.end_canary(agent=self._rows["agents", slug], message=self._message)

    def delete(self, section: str, slug: str) -> None:
        if section == "flags":
            flags.delete_flag(flag=self._state.flags[slug], message=self._message)
        else:
            components.delete_component(component=self._rows[section, slug])

    def _version(self, section: str, part: Part) -> uuid.UUID:
        return self._versions[section, part.slug, part.checksum]

    def _keep_parts(self, release: Release, made_of: Composition) -> None:
        """The ids of the versions that a release is made of, older ones perhaps."""
        known = self._versions
        known.setdefault(("agents", made_of.profile.slug, made_of.profile.checksum), release.profile_id)
        known.setdefault(("prompts", made_of.prompt.slug, made_of.prompt.checksum), release.prompt_id)
        if made_of.personality and release.personality_id:
            part = made_of.personality
            known.setdefault(("personalities", part.slug, part.checksum), release.personality_id)
        if made_of.runtime_config and release.runtime_config_id:
            part = made_of.runtime_config
            known.setdefault(("runtime_configs", part.slug, part.checksum), release.runtime_config_id)
        for tool, pk in zip(made_of.tools, release.tool_version_ids, strict=True):
            known.setdefault(("tools", tool.slug, tool.checksum), pk)


def _made(slot: Slot) -> Release:
    assert slot.row is not None, "its step comes first"
    return slot.row
