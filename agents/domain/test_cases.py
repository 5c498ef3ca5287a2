"""Test cases: written, changed, deleted and restored. What was run keeps its own copy of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from agents.content.base import MOST_BYTES, read
from agents.content.testcase import CaseContent
from agents.models import Agent, TestCase
from switchboard.kernel.problems import Conflict, Invalid, Problem
from switchboard.kernel.text import check_text
from tenants.actor import doing
from tenants.staff.models import User

MOST_CASES: Final = 200  # of one agent; a run has them all
_MOST_TAGS: Final = 20
_LONGEST_TAG: Final = 40
_LONGEST_NAME: Final = 120


def create_test_case(
    *,
    agent: Agent,
    name: str,
    turns: Sequence[Mapping[str, Any]],
    tags: Sequence[str] = (),
    judge_optional: bool = False,
    enabled: bool = True,
    by: User | None = None,
) -> TestCase:
    """A new test case of an agent.

    Args:
        turns: what is said and expected: `[{"say": …, "expect": [{"kind": …}, …]}, …]`.
        judge_optional: whether it is green without a judge model too.
        enabled: whether new releases carry it and runs include it.

    Raises:
        Invalid: `test_case_invalid`, `invalid_name`, `invalid_tags`.
        Conflict: `test_case_exists`, where the agent has one of this name; `too_many_test_cases`; `deleted`.
    """
    fields = {
        "name": _name(name),
        "tags": _tags(tags),
        "turns": checked_turns(turns),
        "judge_optional": judge_optional,
        "enabled": enabled,
    }
    if agent.deleted_at is not None:
        raise Conflict("deleted", f"The agent “{agent}” is deleted. Restore it first.")
    if TestCase.objects.filter(agent=agent, deleted_at=None).count() >= MOST_CASES:
        raise Conflict("too_many_test_cases", f"An agent may have {MOST_CASES} test cases.")
    try:
        with transaction.atomic(), doing("test_case.created"):
            return TestCase.objects.create(agent=agent, updated_by=by, **fields)
    except IntegrityError:
        raise _exists(name) from None


def update_test_case(
    *,
    case: TestCase,
    name: str | None = None,
    turns: Sequence[Mapping[str, Any]] | None = None,
    tags: Sequence[str] | None = None,
    judge_optional: bool | None = None,
    enabled: bool | None = None,
    seen_revision: int | None = None,
    by: User | None = None,
) -> TestCase:
    """Change a test case; None leaves a field as it is. Of two people who edit the same one, the second is told.

    Args:
        seen_revision: `revision` of what the author started from; None overwrites whatever is there.

    Returns:
        The case as it is now.

    Raises:
        Invalid: as `create_test_case`.
        Problem: 412 `stale`.
        Conflict: `test_case_exists`, `deleted`.
    """
    changes: dict[str, Any] = {}
    if name is not None:
        changes["name"] = _name(name)
    if turns is not None:
        changes["turns"] = checked_turns(turns)
    if tags is not None:
        changes["tags"] = _tags(tags)
    if judge_optional is not None:
        changes["judge_optional"] = judge_optional
    if enabled is not None:
        changes["enabled"] = enabled
    try:
        with transaction.atomic(), doing("test_case.changed"):
            row = TestCase.objects.select_for_update(of=("self",)).get(pk=case.pk)
            if row.deleted_at is not None:
                raise Conflict("deleted", f"The test case “{row}” is deleted. Restore it first.")
            if seen_revision is not None and row.revision != seen_revision:
                who = f" by {row.updated_by}" if row.updated_by_id else ""
                detail = f"The test case “{row}” was changed{who} while you were editing. Compare, then save again."
                raise Problem("stale", detail, status=412)
            changed = {field: value for field, value in changes.items() if getattr(row, field) != value}
            if not changed:
                return row
            for field, value in changed.items():
                setattr(row, field, value)
            row.revision += 1
            row.updated_by = by
            row.save(update_fields=[*changed, "revision", "updated_by", "updated_at"])
            return row
    except IntegrityError:
        raise _exists(name or "") from None


def delete_test_case(*, case: TestCase) -> None:
    """Take a case out of the lists, of new releases and of further runs. Results that it has stay."""
    with doing("test_case.deleted"):
        TestCase.objects.filter(pk=case.pk, deleted_at=None).update(deleted_at=timezone.now())


def restore_test_case(*, case: TestCase) -> TestCase:
    """Bring a deleted case back as it was.

    Raises:
        Conflict: `test_case_exists`, where another has taken its name meanwhile.
    """
    try:
        with transaction.atomic(), doing("test_case.restored"):
            TestCase.objects.filter(pk=case.pk).update(deleted_at=None)
    except IntegrityError:
        raise _exists(case.name) from None
    case.refresh_from_db()
    return case


def checked_turns(raw: object) -> list[dict[str, Any]]:
    """The turns of a case as they are kept.

    Raises:
        Invalid: `test_case_invalid`, with a fault for each field.
    """
    if not isinstance(raw, Sequence) or isinstance(raw, str):
        raise Invalid("test_case_invalid", "Turns are a list.", field="turns")
    try:
        text = json.dumps(raw, allow_nan=False)
        size = len(json.dumps(raw, ensure_ascii=False).encode())
    except (TypeError, ValueError, RecursionError):
        raise Invalid("test_case_invalid", "The turns are no plain JSON.", field="turns") from None
    if "\\u0000" in text:
        raise Invalid("test_case_invalid", "The turns hold a NUL character, which can't be stored.", field="turns")
    if size > MOST_BYTES:
        raise Problem("too_large", f"A test case may have {MOST_BYTES // 1024} kB.", status=413)
    content, faults = read(CaseContent, {"turns": list(raw)})
    if content is None or faults:
        raise Problem(
            "test_case_invalid",
            "The test case can't be kept as it is.",
            status=422,
            errors=[{"field": _path(fault.field), "message": fault.message} for fault in faults],
        )
    turns: list[dict[str, Any]] = content.as_json()["turns"]
    return turns


def _path(field: str) -> str:
    """A fault's place without the names pydantic gives to the members of a union."""
    parts = field.split(".") if field else ["turns"]
    return ".".join(part for index, part in enumerate(parts) if not (index == 4 and parts[2] == "expect"))


def _exists(name: str) -> Conflict:
    return Conflict("test_case_exists", f"The agent has a test case named “{name.strip()}” already.")


def _name(name: str) -> str:
    check_text(name, field="name", max_bytes=4 * _LONGEST_NAME)
    if len(name.strip()) > _LONGEST_NAME:
        raise Invalid("invalid_name", f"A name may have {_LONGEST_NAME} characters.", field="name")
    return name.strip()


def _tags(tags: Sequence[str]) -> list[str]:
    wanted = list(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))
    if len(wanted) > _MOST_TAGS or any(len(tag) > _LONGEST_TAG or "\x00" in tag for tag in wanted):
        detail = f"{_MOST_TAGS} tags of at most {_LONGEST_TAG} characters each."
        raise Invalid("invalid_tags", detail, field="tags")
    return wanted
