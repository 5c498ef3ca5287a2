"""Tools that are written in Python, by the platform's own apps: the only code that runs in this process."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from agents.tools import record
from agents.tools.arguments import check_arguments
from agents.tools.calls import Call
from agents.tools.registry import PythonTool, python_tool
from agents.tools.results import ToolContext, ToolFailed, ToolResult
from switchboard.kernel.database import in_database
from switchboard.kernel.problems import Problem
from tenants.actor import Actor, use_actor

P = ParamSpec("P")
R = TypeVar("R")


async def carry_out(call: Call) -> ToolResult:
    """Run a registered Python tool.

    Raises:
        ToolFailed: there is none of that name, or it refused.
    """
    tool = python_tool(call.tool.content.handler)
    if tool is None:
        raise ToolFailed("tool_missing", f"There is no Python tool named {call.tool.content.handler}.")
    arguments = check_arguments(schema=tool.input_schema, arguments=call.arguments)
    running = _PythonCall(call, tool)
    try:
        async with asyncio.timeout(call.tool.content.timeout_seconds):
            data = await tool.function(arguments, running)
    except TimeoutError:
        # A change that is being committed is a matter of moments, and then it is known.
        if (committed := await running.committed()) is None:
            raise ToolFailed("tool_timeout", "The tool took too long; nothing was changed.") from None
        return committed
    except Problem as problem:
        raise ToolFailed(problem.code, problem.detail, data={"errors": problem.errors}) from None
    return await running.committed() or call.result(data, is_untrusted=tool.is_untrusted)


class _PythonCall:
    def __init__(self, call: Call, tool: PythonTool) -> None:
        self._call = call
        self._tool = tool
        self._commit: asyncio.Task[tuple[Any, ToolResult]] | None = None

    @property
    def context(self) -> ToolContext:
        return self._call.context

    async def commit(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        if self._commit is not None or not self._tool.writes:
            raise RuntimeError(f"{self._tool.name} commits more than it has said.")
        if inspect.iscoroutinefunction(function):
            raise TypeError("What is committed is a sync function.")
        effect = functools.partial(function, *args, **kwargs)
        self._commit = asyncio.create_task(self._committed(effect))
        return (await asyncio.shield(self._commit))[0]  # type: ignore[no-any-return]

    async def committed(self) -> ToolResult | None:
        """What was kept of a change, once it is; None where there was none."""
        return (await self._commit)[1] if self._commit is not None else None

    async def _committed(self, effect: Callable[[], Any]) -> tuple[Any, ToolResult]:
        with use_actor(_actor(self.context)):
            return await in_database(
                record.commit_effect, context=self.context, effect=effect, result_of=self._result_of
            )

    def _result_of(self, made: Any) -> ToolResult:
        return self._call.result(made, is_untrusted=self._tool.is_untrusted)


def _actor(context: ToolContext) -> Actor:
    """Who changes something through an agent: the contact it acts for."""
    if not context.contact:
        return Actor(kind="system", id=str(context.agent_id), name="an agent, for a contact without a name")
    return Actor(kind="contact", id=context.contact, name=context.contact)
