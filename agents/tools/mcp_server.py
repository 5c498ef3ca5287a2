"""Tools of MCP servers, over streamable HTTP: at hosts that the operator lists, through the guard, and only as they
were when the tool was published.

What a server says of a tool (its name, its description, its schema) is a fingerprint in the tool's version. A server
that says something else later is not called: what was approved isn't there any more. A new version approves the new.
"""

from __future__ import annotations

import asyncio
import fnmatch
import hashlib
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx2
from django.conf import settings

from agents.tools import egress
from agents.tools.calls import Call
from agents.tools.credentials import credential_for
from agents.tools.filling import header_value
from agents.tools.results import ToolFailed, ToolResult, storable
from switchboard.kernel.database import in_database

if TYPE_CHECKING:
    from mcp import Client

IDEMPOTENCY_KEY: Final = "switchboard/idempotency-key"
_MOST_PAGES: Final = 20  # of a server's list of tools
_MOST_TOOLS: Final = 500
_LISTING_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class Offered:
    """A tool as its server describes it.

    Args:
        fingerprint: of name, description and schema; what a version pins.
    """

    name: str
    description: str
    input_schema: dict[str, Any]
    fingerprint: str


async def offered_at(*, url: str, credential: str = "") -> list[Offered]:
    """What an MCP server offers now.

    Args:
        credential: sent as a bearer token; "" for none.

    Raises:
        ToolFailed: `tool_host_not_allowed`; `tool_address_refused`; `tool_unreachable`; `tool_timeout`.
    """
    with _told(is_called=lambda: False):
        async with asyncio.timeout(_LISTING_SECONDS), _session(url, credential) as session:
            return [tool async for tool in _tools(session)]
    raise AssertionError  # what is told is raised


async def carry_out(call: Call) -> ToolResult:
    """Call a tool of an MCP server.

    Raises:
        ToolFailed: as `offered_at`, and `tool_changed`; `tool_missing`; `tool_answered_error`.
    """
    content = call.tool.content
    credential = await in_database(
        credential_for, tool=call.tool.slug, secret=content.credentials, contact=call.context.contact
    )
    is_called = False
    with _told(is_called=lambda: is_called):
        async with asyncio.timeout(content.timeout_seconds), _session(content.handler, credential) as session:
            await _check_pinned(session, name=content.remote_name, pinned=content.pinned)
            is_called = True
            meta: Any = {IDEMPOTENCY_KEY: call.context.key}
            result = await session.call_tool(content.remote_name, call.arguments, meta=meta)
            text = "\n".join(str(block.text) for block in result.content if block.type == "text")
            structured = result.structured_content
            if result.is_error:
                raise ToolFailed(
                    "tool_answered_error", "The tool's server reports an error.", data={"text": text[:2000]}
                )
    return call.result(text if structured is None else structured, is_untrusted=True, text=text or None)


def check_host(url: str) -> None:
    """Refuse a server that the operator hasn't listed.

    Raises:
        ToolFailed: `tool_host_not_allowed`.
    """
    host = (httpx2.URL(url).host or "").lower().rstrip(".")
    if not any(fnmatch.fnmatchcase(host, pattern.lower()) for pattern in settings.MCP_HOSTS):
        raise ToolFailed("tool_host_not_allowed", f"MCP servers at {host} are not allowed here (MCP_HOSTS).")


def fingerprint_of(*, name: str, description: str, input_schema: dict[str, Any]) -> str:
    """What a version pins of a tool."""
    text = json.dumps([name, description, input_schema], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


@asynccontextmanager
async def _session(url: str, credential: str) -> AsyncIterator[Client]:
    # A web server comes with it: half a second and 23 MB that only those should pay who call such a server.
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client

    check_host(url)
    async with egress.client() as http_client:
        if credential:
            http_client.headers["Authorization"] = f"Bearer {header_value(credential)}"
        async with Client(streamable_http_client(url, http_client=http_client)) as session:
            yield session


async def _tools(session: Client) -> AsyncIterator[Offered]:
    cursor: str | None = None
    count = 0
    for _ in range(_MOST_PAGES):
        page = await session.list_tools(cursor=cursor)
        for tool in page.tools:
            count += 1
            if count > _MOST_TOOLS:
                return
            description, schema = storable(tool.description or ""), storable(dict(tool.input_schema))
            yield Offered(
                name=storable(tool.name),
                description=description,
                input_schema=schema,
                fingerprint=fingerprint_of(name=tool.name, description=description, input_schema=schema),
            )
        cursor = page.next_cursor
        if not cursor:
            return


async def _check_pinned(session: Client, *, name: str, pinned: str) -> None:
    async for tool in _tools(session):
        if tool.name == name:
            if tool.fingerprint != pinned:
                raise ToolFailed(
                    "tool_changed",
                    "The server describes the tool otherwise than when it was approved. Publish a new version of it.",
                )
            return
    raise ToolFailed("tool_missing", "The server has no such tool any more.")


class _told:  # noqa: N801 - reads as what it does: `with _told(...)`
    """Whatever goes wrong with a server, as a `ToolFailed`; the client raises groups of all that failed at once."""

    def __init__(self, *, is_called: Any) -> None:
        self._is_called = is_called

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None or not isinstance(error, Exception):
            return
        inner = list(_within(error))
        for one in inner:
            if isinstance(one, ToolFailed):
                raise one from None
        failures = [egress.failure_of(one, is_sent=self._is_called()) for one in inner]
        refused = next((one for one in failures if one.code != "tool_unreachable"), failures[0])
        raise refused from None


def _within(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _within(one)
    else:
        yield error
