"""Tools that are written in Python: the apps above register theirs when they are ready."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, ParamSpec, Protocol, TypeVar

from agents.tools.results import ToolContext

P = ParamSpec("P")
R = TypeVar("R")


class PythonCall(Protocol):
    """What a Python tool is given beside its arguments."""

    @property
    def context(self) -> ToolContext: ...

    async def commit(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a sync function that changes something, in one transaction with the record that it was done: both
        happen, or neither. Once in a call, and last; what it returns is what the tool returns.
        """
        ...


Function = Callable[[dict[str, Any], PythonCall], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class PythonTool:
    """A registered tool.

    Args:
        writes: it changes something, by `PythonCall.commit` and in no other way.
        is_untrusted: what it answers may hold words of strangers.
    """

    name: str
    description: str
    input_schema: Mapping[str, Any]
    writes: bool
    function: Function
    is_untrusted: bool = False


_tools: dict[str, PythonTool] = {}


def register_tool(
    name: str, *, description: str, input_schema: Mapping[str, Any], writes: bool, is_untrusted: bool = False
) -> Callable[[Function], Function]:
    """Make an async function a tool that releases can name as their handler.

    Args:
        name: `area.verb`, stable.
        description: tells the model when to use it.
        input_schema: JSON Schema of its arguments; whatever a tenant's own schema says, they fit this one too.
        writes: it changes something, so the contact is asked first.
        is_untrusted: what it answers may hold words of strangers.
    """

    def register(function: Function) -> Function:
        _tools[name] = PythonTool(name, description, dict(input_schema), writes, function, is_untrusted)
        return function

    return register


def python_tool(name: str) -> PythonTool | None:
    """The registered tool with this name."""
    return _tools.get(name)


def python_tools() -> list[PythonTool]:
    """All of them, by name."""
    return [_tools[name] for name in sorted(_tools)]
