"""What MCP servers offer, looked at by staff, and approved by pinning it in a tool's draft."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync

from agents.content.tool import ToolContent
from agents.domain.components import save_draft
from agents.models import Tool
from agents.tools.mcp_server import Offered, offered_at
from agents.tools.results import ToolFailed
from switchboard.kernel.database import release_connections
from switchboard.kernel.egress import check_url
from switchboard.kernel.problems import Conflict, Invalid
from tenants.staff.models import User
from tenants.vault.queries import SecretMissing, secret_value


def tools_at(*, url: str, credentials: str = "") -> list[Offered]:
    """What an MCP server offers now.

    Args:
        credentials: the name of the secret that it wants, as a bearer token; "" for none.

    Raises:
        Invalid: `invalid_url`; `unknown_secret`; the codes of `agents.tools.mcp_server.offered_at`.
    """
    check_url(url, field="url")
    try:
        credential = secret_value(credentials) if credentials else ""
    except SecretMissing:
        raise Invalid("unknown_secret", f"There is no secret named {credentials}.", field="credentials") from None
    release_connections()
    try:
        return async_to_sync(offered_at)(url=url, credential=credential)
    except ToolFailed as failed:
        raise Invalid(failed.code, failed.detail, field="url") from None


def pin_tool(*, tool: Tool, by: User | None = None) -> Tool:
    """Pin in a tool's draft what its MCP server says of it now; publishing the draft approves that. A draft without a
    description or arguments takes the server's.

    Raises:
        Invalid: as `tools_at`; `unknown_tool`, where the server has none of that name.
        Conflict: `not_an_mcp_tool`; `deleted`.
        Problem: 412 `stale`, where somebody saves the draft meanwhile.
    """
    draft: dict[str, Any] = dict(tool.draft)
    if draft.get("kind") != "mcp":
        raise Conflict("not_an_mcp_tool", "Only a tool of an MCP server is pinned.")
    name = str(draft.get("remote_name", ""))
    offered = tools_at(url=str(draft.get("handler", "")), credentials=str(draft.get("credentials", "")))
    found = next((one for one in offered if one.name == name), None)
    if found is None:
        known = ", ".join(one.name for one in offered[:20])
        raise Invalid("unknown_tool", f"The server has no tool “{name}”. It has: {known}.", field="remote_name")
    draft["pinned"] = found.fingerprint
    if not draft.get("description"):
        draft["description"] = found.description
    usual = ToolContent.model_fields["input_schema"].get_default(call_default_factory=True)
    if draft.get("input_schema") in (None, {}, usual):
        draft["input_schema"] = found.input_schema
    return save_draft(component=tool, content=draft, seen_revision=tool.draft_revision, by=by)
