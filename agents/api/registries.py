"""The five registries over REST."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.component_views import ComponentViewSet
from agents.api.diffs import StateField
from agents.api.people import person
from agents.domain.agents import configure_agent
from agents.domain.mcp_tools import pin_tool, tools_at
from agents.domain.personalities import set_default
from agents.domain.rendering import render_prompt
from agents.models import Agent, Personality, Prompt, RuntimeConfig, Tool
from agents.queries import DRAFT
from switchboard.kernel.resources import checked
from tenants.permissions import Permission


class RenderFields(serializers.Serializer[dict[str, Any]]):
    """Values to fill a prompt in with."""

    values = serializers.DictField(
        child=serializers.CharField(max_length=100_000, allow_blank=True, trim_whitespace=False),
        default=dict,
        help_text="Of its declared variables, and of the built-in ones where they should not be the usual ones.",
    )
    version = StateField(default=DRAFT, help_text="A version's number, `latest` or `draft`.")


class RenderedSerializer(serializers.Serializer[Any]):
    """A prompt as a model would read it."""

    text = serializers.CharField()


class PromptViewSet(ComponentViewSet[Prompt]):
    """Instructions, with variables that a release fills in."""

    kind = Prompt
    permissions: ClassVar[Mapping[str, Permission]] = {
        **ComponentViewSet.permissions,
        "render_with": Permission.AGENTS_READ,
    }

    @extend_schema(
        tags=["Prompts"],
        operation_id="prompts_render",
        summary="Render a prompt",
        request=RenderFields,
        responses=RenderedSerializer,
    )
    @action(detail=True, methods=["post"], url_path="render", url_name="render")
    def render_with(self, request: Request, pk: UUID) -> Response:
        """The prompt filled in with your values; nothing is kept. Unknown and missing variables are refused."""
        fields = checked(RenderFields, request)
        return Response({"text": render_prompt(prompt=self.found(pk), **fields)})


class McpListingFields(serializers.Serializer[dict[str, Any]]):
    """Which MCP server is asked."""

    url = serializers.CharField(max_length=500, help_text="Of its streamable HTTP endpoint.")
    credentials = serializers.CharField(
        max_length=80, default="", allow_blank=True, help_text="The name of the secret it wants as a bearer token."
    )


class McpToolSerializer(serializers.Serializer[Any]):
    """A tool as its server describes it."""

    name = serializers.CharField()
    description = serializers.CharField()
    input_schema = serializers.DictField()
    fingerprint = serializers.CharField(help_text="What `pinned` holds of a tool that is approved like this.")


class McpListingSerializer(serializers.Serializer[Any]):
    """What an MCP server offers."""

    tools = McpToolSerializer(many=True)


class ToolViewSet(ComponentViewSet[Tool]):
    """What an agent can do besides talking."""

    kind = Tool
    permissions: ClassVar[Mapping[str, Permission]] = {
        **ComponentViewSet.permissions,
        # Both send a secret to the server that is named.
        "mcp_listing": Permission.AGENTS_PUBLISH,
        "pin": Permission.AGENTS_PUBLISH,
    }

    @extend_schema(
        tags=["Tools"],
        operation_id="tools_mcp_listing",
        summary="List an MCP server's tools",
        request=McpListingFields,
        responses=McpListingSerializer,
    )
    @action(detail=False, methods=["post"], url_path="mcp-listing", url_name="mcp-listing")
    def mcp_listing(self, request: Request) -> Response:
        """What the server offers now. Its host must be among those that the operator allows (`MCP_HOSTS`)."""
        found = tools_at(**checked(McpListingFields, request))
        return Response({"tools": [asdict(one) for one in found]})

    @extend_schema(tags=["Tools"], operation_id="tools_pin", summary="Pin an MCP tool", request=None)
    @action(detail=True, methods=["post"], url_path="pin", url_name="pin")
    def pin(self, request: Request, pk: UUID) -> Response:
        """Writes what the server says of the tool now into the draft; publishing that approves it."""
        pin_tool(tool=self.found(pk), by=person(request))
        return self.shown(self.found(pk))


class PersonalityViewSet(ComponentViewSet[Personality]):
    """How an agent speaks."""

    kind = Personality

    def configure(self, row: Personality, fields: Mapping[str, Any]) -> None:
        if "is_default" in fields:
            set_default(personality=row, is_default=fields["is_default"])


class RuntimeConfigViewSet(ComponentViewSet[RuntimeConfig]):
    """The models and devices that an agent runs on, and its limits."""

    kind = RuntimeConfig


class AgentViewSet(ComponentViewSet[Agent]):
    """Named assistants. What one does is its releases' to say."""

    kind = Agent

    def configure(self, row: Agent, fields: Mapping[str, Any]) -> None:
        # Whether it answers, and what may serve, is a publisher's to say once it serves or asks for tests.
        differs = any(getattr(row, name) != value for name, value in fields.items())
        if differs and (row.live_release_id is not None or row.require_tests):
            self.require(Permission.AGENTS_PUBLISH, on=row)
        configure_agent(agent=row, **fields)
