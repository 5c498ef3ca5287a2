"""Agents, their releases, and model endpoints in the staff's admin."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_safe

from agents.domain import endpoints
from agents.forms import EndpointForm
from agents.models import Agent, ModelEndpoint
from agents.releases import resolve
from switchboard.admin import staff_site
from switchboard.model_admin import DomainModelAdmin
from tenants.permissions import Permission, allows


@admin.register(Agent, site=staff_site)
class AgentAdmin(DomainModelAdmin):
    view_permission, change_permission = Permission.AGENTS_READ, Permission.AGENTS_WRITE
    publish_permission = Permission.AGENTS_PUBLISH
    list_display = ("name", "live", "created_at", "try_it")
    list_select_related = ("live_release",)
    search_fields = ("name", "slug")

    @admin.display(description="Live release", ordering="live_release__number")
    def live(self, row: Agent) -> str:
        if row.live_release is None:
            return format_html('<span class="sb-badge sb-busy">{}</span>', "No release yet")
        return format_html('<span class="sb-badge sb-good">#{}</span>', row.live_release.number)

    def get_list_display(self, request: HttpRequest) -> Sequence[str]:
        talks = allows(request.user, Permission.CONVERSATIONS_WRITE)
        return [name for name in self.list_display if talks or name != "try_it"]

    @admin.display(description="")
    def try_it(self, row: Agent) -> str:
        address = reverse("admin:agents_agent_playground", args=[row.pk])
        return format_html('<a class="sb-button sb-small" href="{}">Playground</a>', address)

    # --- releases and the Playground ------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<uuid:pk>/playground/", wrap(require_safe(self.playground_view)), name="agents_agent_playground"),
            *super().get_urls(),
        ]

    def playground_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """A conversation with the agent, over the same API that programs use."""
        rows = Agent.objects.select_related("live_release")
        agent = self.row(request, Permission.CONVERSATIONS_WRITE, rows, pk=pk)
        release = agent.live_release
        resolved = resolve(release.pk) if release else None
        return self.page(
            request,
            "admin/agents/agent/playground.html",
            title=f"Playground: {agent}",
            original=agent,
            agent=agent,
            release=release,
            resolved=resolved,
            is_fullwidth="1",
            playground={
                "agent": str(agent.pk),
                "conversations": "/api/v1/conversations",
                "welcome": resolved.runtime.welcome_message if resolved else "",
                "questions": resolved.profile.suggested_questions if resolved else (),
                "ready": release is not None,
            },
        )


@admin.register(ModelEndpoint, site=staff_site)
class ModelEndpointAdmin(DomainModelAdmin):
    can_add = can_change = can_delete = True
    view_permission, change_permission = Permission.SECRETS_READ, Permission.SECRETS_WRITE
    form = EndpointForm
    list_display = ("name", "base_url", "key_state", "created_at")
    search_fields = ("name", "base_url")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelEndpoint]:
        # The key never leaves the database for a page.
        rows: QuerySet[ModelEndpoint] = super().get_queryset(request)
        return rows.defer("api_key").annotate(has_key=~Q(api_key=""))

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Sequence[str]:
        return (
            ("name", "base_url", "key_state", "new_api_key", "remove_api_key")
            if obj
            else ("name", "base_url", "new_api_key")
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Sequence[str]:
        return ("key_state",) if obj else ()

    def get_form(self, request: HttpRequest, obj: Model | None = None, **kwargs: Any) -> Any:
        # Django's admin would make the form again with the fields above, of which two are not the model's.
        return EndpointForm

    @admin.display(description="Stored key")
    def key_state(self, row: Any) -> str:
        if getattr(row, "has_key", False):
            return format_html('<span class="sb-badge sb-good">{}</span>', "set")
        return format_html('<span class="sb-badge">{}</span>', "not set")

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        assert isinstance(form, EndpointForm)
        assert isinstance(obj, ModelEndpoint)
        name, base_url = form.cleaned_data["name"], form.cleaned_data["base_url"]
        if change:
            endpoints.update_endpoint(endpoint=obj, name=name, base_url=base_url, api_key=form.written_key())
        else:
            made = endpoints.create_endpoint(name=name, base_url=base_url, api_key=form.written_key() or "")
            obj.pk = made.pk

    def remove(self, request: HttpRequest, row: Model) -> None:
        assert isinstance(row, ModelEndpoint)
        endpoints.delete_endpoint(endpoint=row)
