"""Prompts, tools, personalities and runtime configs in the staff's admin."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from agents.admin.base import ComponentAdmin
from agents.choices import endpoint_choices, secret_choices, speech_choices
from agents.content.prompt import BUILT_IN
from agents.domain.mcp_tools import pin_tool
from agents.domain.personalities import set_default
from agents.editing.fields import Choices
from agents.models import Personality, Prompt, RuntimeConfig, Tool
from switchboard.admin import staff_site
from switchboard.kernel.problems import Problem
from tenants.permissions import Permission
from tenants.staff.models import User


@admin.register(Prompt, site=staff_site)
class PromptAdmin(ComponentAdmin):
    icon = "notes"
    about = "The instructions an agent follows. Variables in them are filled in by each release."

    def about_row(self, request: HttpRequest, row: Any, tab: str) -> dict[str, Any]:
        return {**super().about_row(request, row, tab), "built_in": dict(BUILT_IN)}


@admin.register(Tool, site=staff_site)
class ToolAdmin(ComponentAdmin):
    icon = "build"
    about = "Something an agent can do besides talking: look things up, call a service, book, report."
    starting = {"kind": "http"}

    actions = (*ComponentAdmin.actions, "pin_tools")  # type: ignore[assignment]

    @admin.action(description="Pin what the MCP server says", permissions=["publish"])
    def pin_tools(self, request: HttpRequest, queryset: QuerySet[Tool]) -> None:
        """Into their drafts; publishing those approves it."""
        for row in queryset[:20]:
            self.require(request, Permission.AGENTS_PUBLISH, on=row)
            try:
                pin_tool(tool=row, by=cast(User, request.user))
                self.message_user(request, f"“{row}” is pinned; publish its draft to approve that.")
            except Problem as problem:
                self.message_user(request, f"“{row}”: {problem.detail}", messages.ERROR)

    def choices(self) -> Choices:
        return {"secrets": secret_choices()}


@admin.register(Personality, site=staff_site)
class PersonalityAdmin(ComponentAdmin):
    icon = "theater_comedy"
    about = "How an agent speaks, whoever's prompt it follows. Several agents can share one."

    def saved(self, request: HttpRequest, row: Any) -> None:
        set_default(personality=row, is_default="is_default" in request.POST)


@admin.register(RuntimeConfig, site=staff_site)
class RuntimeConfigAdmin(ComponentAdmin):
    icon = "tune"
    about = "The models and devices an agent runs on, and its limits."

    def choices(self) -> Choices:
        return {"endpoints": endpoint_choices(), "speech_endpoints": speech_choices()}
