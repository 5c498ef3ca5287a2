"""Tools: what an agent can do besides talking."""

from __future__ import annotations

from typing import Any, Literal

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from pydantic import Field

from agents.content.base import Content, Fault, Line, Text
from agents.content.http_request import HttpRequest
from switchboard.kernel.egress import check_url
from switchboard.kernel.problems import Invalid


class ToolContent(Content):
    """One tool: when to use it, what it takes, and who carries it out."""

    kind: Literal["knowledge", "http", "mcp", "python"]
    description: Text = Field(min_length=1, description="Tells the model when to use it.")
    examples: tuple[Line, ...] = Field(
        default=(), max_length=50, description="Messages that ask for it, for the built-in model to know it by."
    )
    input_schema: dict[str, Any] = Field(
        default_factory=lambda: {"type": "object", "properties": {}, "additionalProperties": False},
        description="JSON Schema (2020-12) of its arguments: an object.",
    )
    handler: Line = Field(
        default="",
        description="Who carries it out: a URL (http, mcp), which for http may have places such as {{ id }} in its "
        "path, or the registered name of a Python tool such as `lead.capture`. Empty for knowledge search.",
    )
    credentials: Line = Field(default="", description="Name of the secret it signs in with; empty: none.")
    output_template: Text = Field(default="", description="How its result is put to the model; empty: as it comes.")
    writes: bool = Field(default=False, description="It changes something, so the contact is asked first.")
    timeout_seconds: float = Field(default=10.0, gt=0, le=120)
    http: HttpRequest | None = Field(
        default=None, description="How the service is asked; none: its arguments are sent by POST, as JSON."
    )
    remote_name: Line = Field(default="", description="What an MCP server calls it.")
    pinned: Line = Field(
        default="",
        description="The fingerprint of what the MCP server says of it. A tool that its server describes otherwise is "
        "not called until a new version pins that.",
    )

    @property
    def request(self) -> HttpRequest:
        """How an HTTP tool asks its service."""
        return self.http or HttpRequest()

    def faults(self) -> list[Fault]:
        found = []
        if self.input_schema.get("type") != "object":
            found.append(Fault("input_schema.type", "Arguments are an object: the schema's type must be object."))
        try:
            Draft202012Validator.check_schema(self.input_schema)
        except SchemaError as error:
            path = ".".join(("input_schema", *(str(part) for part in error.absolute_path)))
            found.append(Fault(path, f"This is no JSON Schema: {error.message[:200]}."))
        except RecursionError:
            found.append(Fault("input_schema", "The schema is nested too deeply."))
        if self.kind == "knowledge" and self.handler:
            found.append(Fault("handler", "Knowledge search needs no handler."))
        if self.kind in {"http", "mcp"} and not self.handler.startswith(("http://", "https://")):
            found.append(Fault("handler", "Give the URL that carries it out."))
        elif self.kind == "http":
            properties = self.input_schema.get("properties")
            found.extend(self.request.faults(self.handler, properties if isinstance(properties, dict) else {}))
        elif self.kind == "mcp":
            found.extend(self._mcp_faults())
        if self.kind != "http" and self.http is not None:
            found.append(Fault("http", "Only an HTTP request has this."))
        if self.kind == "python" and not self.handler:
            found.append(Fault("handler", "Give the name of the Python tool."))
        return found

    def _mcp_faults(self) -> list[Fault]:
        found = []
        try:
            check_url(self.handler, field="handler")
        except Invalid as refused:
            found.append(Fault("handler", refused.detail))
        if not self.remote_name:
            found.append(Fault("remote_name", "Say which of the server's tools it is."))
        if not self.pinned:
            found.append(Fault("pinned", "Look at what the server says of it, and pin that."))
        return found
