"""One call of a tool, as whoever carries it out sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from agents.releases import BoundTool
from agents.tools.results import ToolContext, ToolResult, succeeded


@dataclass(frozen=True, slots=True)
class Call:
    """What is to be carried out. Its arguments fit the tool's schema.

    Args:
        writes: it changes something.
    """

    tool: BoundTool
    arguments: dict[str, Any]
    context: ToolContext
    writes: bool

    def result(self, data: Any, *, is_untrusted: bool, text: str | None = None) -> ToolResult:
        """A success, as the tool's output template shows it."""
        return succeeded(data=data, template=self.tool.content.output_template, is_untrusted=is_untrusted, text=text)


# Carries a call out, or raises `ToolFailed`.
Carrier = Callable[[Call], Awaitable[ToolResult]]
