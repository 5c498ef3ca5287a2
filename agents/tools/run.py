"""Running a tool: once for each call of a turn, however often that is taken up again.

A call is written down before it runs and again when it is over. What was over already isn't run again; of what was cut
off (a process was killed) it depends: what only reads is run again; a Python tool's change and its record are one
transaction, so it is run again if there is no record; a service that keeps `Idempotency-Key` is asked again with the
same one. Of all else nobody can tell, and the result says that.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Final

from agents.releases import BoundTool
from agents.tools import http_service, knowledge, mcp_server, python, record
from agents.tools.arguments import check_arguments
from agents.tools.calls import Call, Carrier
from agents.tools.offers import schema_of, writes
from agents.tools.results import ToolContext, ToolFailed, ToolResult, succeeded, unknown
from switchboard.kernel.database import OUTAGES, in_database

__all__ = ["ToolContext", "ToolResult", "run_tool"]

logger = logging.getLogger(__name__)

CARRIERS: Final[Mapping[str, Carrier]] = {
    "python": python.carry_out,
    "knowledge": knowledge.carry_out,
    "http": http_service.carry_out,
    "mcp": mcp_server.carry_out,
}
_PREVIEW: Final = "This is a preview: it was not carried out, and nothing was changed."
_TRIES: Final = 4  # of writing down what a call came to, while the database is away
# What was begun is brought to its end, though the turn that wanted it is stopped: half a booking helps nobody.
_running: Final[set[asyncio.Task[ToolResult]]] = set()


async def run_tool(*, tool: BoundTool, arguments: dict[str, Any], context: ToolContext) -> ToolResult:
    """Call a tool of a release.

    A turn that is stopped meanwhile leaves the call running; its record tells what it came to.

    Returns:
        What it came to. Failures are results as well, with a stable `code`; none is raised.
    """
    try:
        checked = check_arguments(schema=schema_of(tool), arguments=arguments)
    except ToolFailed as failed:
        return failed.as_result()
    call = Call(tool=tool, arguments=checked, context=context, writes=writes(tool))
    task = asyncio.create_task(_run(call))
    _running.add(task)
    task.add_done_callback(_running.discard)
    return await asyncio.shield(task)


async def _run(call: Call) -> ToolResult:
    try:
        claim = await in_database(
            record.claim, tool=call.tool, arguments=call.arguments, context=call.context, writes=call.writes
        )
    except ToolFailed as failed:
        return failed.as_result()
    except OUTAGES:
        return ToolFailed("tool_unavailable", "The database is away, so the tool was not called.").as_result()
    if claim.kept is not None:
        return claim.kept
    if claim.is_again and call.writes and not _can_repeat(call.tool):
        return await _settled(call, unknown())
    return await _settled(call, await _carried_out(call))


async def _carried_out(call: Call) -> ToolResult:
    kind = call.tool.content.kind
    if call.writes and call.context.is_preview and kind != "python":
        return succeeded(data={"preview": True}, template="", is_untrusted=False, text=_PREVIEW)
    carrier = CARRIERS.get(kind)
    try:
        if carrier is None:
            raise ToolFailed("tool_missing", f"There is nobody to carry out a tool of the kind {kind}.")
        return await carrier(call)
    except ToolFailed as failed:
        return unknown() if failed.maybe_done and call.writes else failed.as_result()
    except OUTAGES:
        return ToolFailed("tool_unavailable", "The database went away; nothing was changed.").as_result()
    except Exception:
        logger.exception("the tool %s failed", call.tool.slug)
        if call.writes and kind != "python":
            return unknown()
        return ToolFailed("tool_failed", "Something went wrong in the tool; it was logged.").as_result()


async def _settled(call: Call, result: ToolResult) -> ToolResult:
    for attempt in range(_TRIES):
        try:
            return await in_database(record.settle, context=call.context, result=result)
        except OUTAGES:
            await asyncio.sleep(0.25 * 2**attempt)
    logger.error("what a call of %s came to could not be written down", call.tool.slug)
    return result


def _can_repeat(tool: BoundTool) -> bool:
    """Whether a call that changes something can be made again without changing it twice."""
    content = tool.content
    return content.kind == "python" or (content.kind == "http" and content.request.keeps_idempotency_key)
