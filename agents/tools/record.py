"""The record of calls: who may run one, what it came to, and an effect that stands or falls with its record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from agents.models import ToolCallRecord
from agents.releases import BoundTool
from agents.tools.results import UNKNOWN, ToolContext, ToolFailed, ToolResult

Status = ToolCallRecord.Status


@dataclass(frozen=True, slots=True)
class Claim:
    """Leave to run a call, or what it came to already.

    Args:
        kept: what it came to, if it is over.
        is_again: it was begun before, and nobody wrote down how it ended.
    """

    kept: ToolResult | None = None
    is_again: bool = False


def claim(*, tool: BoundTool, arguments: dict[str, Any], context: ToolContext, writes: bool) -> Claim:
    """Write down that a call begins, or find that it began before.

    Raises:
        ToolFailed: `tool_call_reused`, where the same call was of another tool or had other arguments.
    """
    digest = _digest(tool.slug, arguments)
    with transaction.atomic():
        row, is_new = ToolCallRecord.objects.get_or_create(
            turn_id=context.turn_id,
            call_id=context.call_id,
            defaults={
                "conversation_id": context.conversation_id,
                "agent_id": context.agent_id,
                "release_id": context.release_id,
                "contact": context.contact,
                "tool": tool.slug,
                "tool_version": tool.version,
                "kind": tool.content.kind,
                "writes": writes,
                "is_preview": context.is_preview,
                "arguments": arguments,
                "arguments_digest": digest,
            },
        )
        if is_new:
            return Claim()
        # Waits for an effect that another process is about to commit.
        row = ToolCallRecord.objects.select_for_update().get(pk=row.pk)
        if row.arguments_digest != digest:
            raise ToolFailed("tool_call_reused", "The turn has made another call under the same id.")
        if row.status != Status.RUNNING:
            return Claim(kept=_result(row))
        row.attempts += 1
        row.save(update_fields=["attempts"])
        return Claim(is_again=True)


def settle(*, context: ToolContext, result: ToolResult) -> ToolResult:
    """Write down what a call came to. What is written already stays, unless it was that nobody knows.

    Returns:
        What the record holds now.
    """
    with transaction.atomic():
        row = _locked(context)
        if row.status in {Status.DONE, Status.FAILED}:
            return _result(row)
        _write(row, result)
        return result


def commit_effect(
    *, context: ToolContext, effect: Callable[[], Any], result_of: Callable[[Any], ToolResult]
) -> tuple[Any, ToolResult]:
    """Run what changes something in one transaction with the record that it was done.

    Args:
        effect: makes the change; what it raises undoes it.
        result_of: from what `effect` returned to what is kept.

    Returns:
        What `effect` returned, and what is kept. Where another process was quicker, nothing is changed, and both tell
        of what that one did.
    """
    with transaction.atomic():
        row = _locked(context)
        if row.status != Status.RUNNING:
            return row.data, _result(row)
        made = effect()
        result = result_of(made)
        if context.is_preview:
            transaction.set_rollback(True)
        else:
            _write(row, result)
    return made, result


def _locked(context: ToolContext) -> ToolCallRecord:
    return ToolCallRecord.objects.select_for_update().get(turn_id=context.turn_id, call_id=context.call_id)


def _write(row: ToolCallRecord, result: ToolResult) -> None:
    row.status = Status.DONE if result.ok else Status.UNKNOWN if result.code == UNKNOWN else Status.FAILED
    row.data, row.text, row.code = result.data, result.text, result.code
    row.is_untrusted = result.is_untrusted
    row.finished_at = timezone.now()
    row.save(update_fields=["status", "data", "text", "code", "is_untrusted", "finished_at"])


def _result(row: ToolCallRecord) -> ToolResult:
    return ToolResult(
        ok=row.status == Status.DONE, data=row.data, text=row.text, code=row.code, is_untrusted=row.is_untrusted
    )


def _digest(slug: str, arguments: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps([slug, arguments], sort_keys=True).encode()).hexdigest()
