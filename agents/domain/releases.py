"""Releases: made, put live, tried as a canary, rolled back."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max

from agents.content.base import checksum_of
from agents.domain.composition import Parts, compose
from agents.domain.test_gate import cases_to_carry, refuse_unless_green
from agents.models import Agent, Release
from switchboard.kernel.problems import Conflict, Invalid
from switchboard.kernel.text import check_note
from tenants.actor import doing
from tenants.staff.models import User


def make_release(
    *,
    agent: Agent,
    parts: Parts,
    number: int = 0,
    message: str = "",
    test_case_ids: Sequence[uuid.UUID] | None = None,
    by: User | None = None,
) -> Release:
    """A release of an agent, with the next number: a preview until it goes live.

    Args:
        number: at least this one.
        test_case_ids: the test cases it carries; None takes all of the agent's that are enabled now.

    Raises:
        Invalid: `release_invalid`, where a part is missing, unpublished, or doesn't fit.
        Conflict: `deleted`.
    """
    with transaction.atomic():
        note = check_note(message)
        row = _locked(agent)
        composition = compose(agent=row, parts=parts)
        columns = {**composition.columns, "test_case_ids": cases_to_carry(agent=row, wanted=test_case_ids)}
        return _keep(row, columns, composition.snapshot, number=number, message=note, by=by)


def go_live(*, release: Release, message: str = "", withdraw_previous: bool = False) -> None:
    """Let a release serve all new conversations; a canary is over with that.

    Args:
        message: why.
        withdraw_previous: also move conversations that began on the release before, at their next message.

    Raises:
        Conflict: `deleted`; `tests_not_green`, where the agent requires its tests to be (`agents.domain.test_gate`).
    """
    with transaction.atomic(), doing("release.went_live", check_note(message)):
        agent = _locked(release.agent)
        refuse_unless_green(agent=agent, release=release)
        before = [agent.live_release_id, agent.canary_release_id] if withdraw_previous else []
        _serve(agent, release, withdraw=before)


def roll_back(*, to: Release, message: str = "", withdraw_current: bool = True, by: User | None = None) -> Release:
    """Make a new release, the same as an older one to the letter, and let it serve.

    What has been live before may be returned to whatever its tests say: whoever rolls back is putting a fire out.
    A release that never was live must be green where the agent requires tests, as when it goes live.

    Args:
        to: the release to return to.
        withdraw_current: also move conversations away from what is rolled back, at their next message.

    Returns:
        The new release.

    Raises:
        Conflict: `deleted`, `tests_not_green`.
    """
    with transaction.atomic(), doing("release.rolled_back", check_note(message)):
        agent = _locked(to.agent)
        if to.pk not in agent.served_release_ids:
            refuse_unless_green(agent=agent, release=to)
        copied = {name: getattr(to, name) for name in _COPIED}
        note = check_note(message) or f"Back to #{to.number}"
        release = _keep(agent, copied, to.snapshot, message=note, by=by, copy_of=to)
        before = [agent.live_release_id, agent.canary_release_id] if withdraw_current else []
        _serve(agent, release, withdraw=before)
        return release


def start_canary(*, release: Release, percent: int = 0, flag: str = "", message: str = "") -> None:
    """Let a release serve a part of new conversations; called again, it changes how many.

    Args:
        percent: of contacts, 0 to 100; the same contact always falls on the same side.
        flag: a feature flag; contacts for whom it is on are served by the canary as well.

    Raises:
        Invalid: `canary_invalid`.
        Conflict: `agent_not_live`, without a live release to compare with; `already_live`; `tests_not_green`.
    """
    if not 0 <= percent <= 100:
        raise Invalid("canary_invalid", "The percentage is from 0 to 100.", field="percent")
    if not percent and not flag:
        raise Invalid("canary_invalid", "Give a percentage, a flag or both.", field="percent")
    with transaction.atomic(), doing("release.canary_started", check_note(message)):
        agent = _locked(release.agent)
        if agent.live_release_id is None:
            raise Conflict("agent_not_live", "The agent has no live release yet; put this one live.")
        if agent.live_release_id == release.pk:
            raise Conflict("already_live", f"{release} serves everybody already.")
        refuse_unless_green(agent=agent, release=release)
        Agent.objects.filter(pk=agent.pk).update(
            canary_release=release,
            canary_percent=percent,
            canary_flag=flag,
            withdrawn_release_ids=_without(agent.withdrawn_release_ids, release.pk),
        )


def end_canary(*, agent: Agent, message: str = "", withdraw: bool = True, expected: uuid.UUID | None = None) -> None:
    """Let the live release alone serve again.

    Args:
        withdraw: also move the canary's conversations back, at their next message.
        expected: the release that is taken to be the canary; another one is not ended in its place.

    Raises:
        Conflict: `deleted`; `not_canary`, where another release, or none, is the canary.
    """
    with transaction.atomic(), doing("release.canary_ended", check_note(message)):
        row = _locked(agent)
        if expected is not None and row.canary_release_id != expected:
            raise Conflict("not_canary", "This release isn't the agent's canary.")
        if row.canary_release_id is None:
            return
        Agent.objects.filter(pk=row.pk).update(
            canary_release=None,
            canary_percent=0,
            canary_flag="",
            withdrawn_release_ids=_with(row.withdrawn_release_ids, [row.canary_release_id] if withdraw else []),
        )


_COPIED = (
    "profile", "prompt", "personality", "runtime_config", "tool_version_ids", "sub_release_ids", "collection_ids",
    "variables", "test_case_ids",
)  # fmt: skip


def _keep(
    agent: Agent,
    columns: Mapping[str, Any],
    snapshot: Mapping[str, Any],
    *,
    message: str,
    by: User | None,
    number: int = 0,
    copy_of: Release | None = None,
) -> Release:
    last = Release.objects.filter(agent=agent).aggregate(last=Max("number"))["last"] or 0
    return Release.objects.create(
        agent=agent,
        number=max(number, last + 1),
        snapshot=snapshot,
        checksum=checksum_of(snapshot),
        copy_of=copy_of,
        message=message,
        created_by=by,
        **columns,
    )


def _serve(agent: Agent, release: Release, *, withdraw: Iterable[uuid.UUID | None]) -> None:
    withdrawn = _with(agent.withdrawn_release_ids, withdraw)
    Agent.objects.filter(pk=agent.pk).update(
        live_release=release,
        canary_release=None,
        canary_percent=0,
        canary_flag="",
        withdrawn_release_ids=_without(withdrawn, release.pk),
        served_release_ids=_with(agent.served_release_ids, [release.pk]),
    )


def _with(known: Iterable[uuid.UUID], more: Iterable[uuid.UUID | None]) -> list[uuid.UUID]:
    return list(dict.fromkeys([*known, *(pk for pk in more if pk is not None)]))


def _without(known: Iterable[uuid.UUID], pk: uuid.UUID) -> list[uuid.UUID]:
    return [one for one in known if one != pk]


def _locked(agent: Agent) -> Agent:
    """The agent's row, so that numbers follow each other and pointers move one at a time."""
    row = Agent.objects.select_for_update(of=("self",), no_key=True).get(pk=agent.pk)
    if row.deleted_at is not None:
        raise Conflict("deleted", f"The agent “{row}” is deleted. Restore it first.")
    return row
