"""Agents, their releases, and model endpoints in the staff's admin."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST, require_safe

from agents.domain import agents, endpoints, releases
from agents.forms import AgentForm, EndpointForm, ReleaseForm
from agents.models import Agent, ModelEndpoint, Release
from knowledge.models import Collection
from switchboard.admin import staff_site
from switchboard.kernel.problems import Problem
from switchboard.model_admin import DomainModelAdmin, show_in_form

_RELEASES_SHOWN = 50


@admin.register(Agent, site=staff_site)
class AgentAdmin(DomainModelAdmin):
    can_add = can_change = True
    form = AgentForm
    list_display = ("name", "live", "model_in_use", "created_at", "try_it")
    list_select_related = ("live_release__endpoint",)
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    change_form_template = "admin/agents/agent/change_form.html"
    change_form_outer_after_template = "admin/agents/agent/releases.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Agent]:
        rows: QuerySet[Agent] = super().get_queryset(request)
        return rows.defer("live_release__endpoint__api_key", "live_release__prompt")

    @admin.display(description="Live release", ordering="live_release__number")
    def live(self, row: Agent) -> str:
        if row.live_release is None:
            return format_html('<span class="sb-badge sb-busy">{}</span>', "No release yet")
        return format_html('<span class="sb-badge sb-good">#{}</span>', row.live_release.number)

    @admin.display(description="Model")
    def model_in_use(self, row: Agent) -> str:
        release = row.live_release
        if release is None:
            return "-"
        return f"{release.model} at {release.endpoint}" if release.endpoint else "Built-in local model"

    @admin.display(description="")
    def try_it(self, row: Agent) -> str:
        address = reverse("admin:agents_agent_playground", args=[row.pk])
        return format_html('<a class="sb-button sb-small" href="{}">Playground</a>', address)

    def create(self, request: HttpRequest, values: dict[str, Any]) -> Model:
        return agents.create_agent(**values)

    def update(self, request: HttpRequest, row: Model, values: dict[str, Any]) -> None:
        assert isinstance(row, Agent)
        agents.update_agent(agent=row, **values)

    def response_add(self, request: HttpRequest, obj: Agent, post_url_continue: str | None = None) -> HttpResponse:
        messages.success(request, f"“{obj}” is made. It answers once it has a release.")
        return HttpResponseRedirect(reverse("admin:agents_agent_release", args=[obj.pk]))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        extra = {"releases": _releases(object_id), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, extra)  # type: ignore[no-any-return]

    # --- releases and the Playground ------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<uuid:pk>/release/", wrap(self.release_view), name="agents_agent_release"),
            path(
                "<uuid:pk>/releases/<uuid:release>/live/", wrap(require_POST(self.live_view)), name="agents_agent_live"
            ),
            path("<uuid:pk>/playground/", wrap(require_safe(self.playground_view)), name="agents_agent_playground"),
            *super().get_urls(),
        ]

    def release_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """A new release, which starts from the live one and goes live at once."""
        agent = get_object_or_404(Agent.objects.select_related("live_release"), pk=pk)
        if request.method == "POST":
            form = ReleaseForm(request.POST)
            if form.is_valid():
                try:
                    release = releases.make_release(agent=agent, created_by=request.user, **form.release_values())  # type: ignore[arg-type]
                except Problem as problem:
                    show_in_form(form, problem)
                else:
                    releases.go_live(release=release)
                    messages.success(request, f"Release #{release.number} of “{agent}” is live.")
                    return HttpResponseRedirect(reverse("admin:agents_agent_change", args=[pk]))
        else:
            form = ReleaseForm(initial=ReleaseForm.initial_of(agent.live_release))
        return self.page(
            request,
            "admin/agents/agent/release.html",
            title=f"New release of {agent}",
            status=422 if form.errors else 200,
            original=agent,
            agent=agent,
            form=form,
        )

    def live_view(self, request: HttpRequest, pk: uuid.UUID, release: uuid.UUID) -> HttpResponse:
        """Put a past release live again."""
        row = get_object_or_404(Release, pk=release, agent_id=pk)
        releases.go_live(release=row)
        messages.success(request, f"Release #{row.number} is live.")
        return HttpResponseRedirect(reverse("admin:agents_agent_change", args=[pk]))

    def playground_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """A conversation with the agent, over the same API that programs use."""
        agent = get_object_or_404(Agent.objects.select_related("live_release"), pk=pk)
        release = agent.live_release
        return self.page(
            request,
            "admin/agents/agent/playground.html",
            title=f"Playground: {agent}",
            original=agent,
            agent=agent,
            release=release,
            is_fullwidth="1",
            playground={
                "agent": str(agent.pk),
                "conversations": "/api/v1/conversations",
                "welcome": agent.welcome,
                "questions": agent.suggested_questions,
                "ready": release is not None,
            },
        )


@admin.register(ModelEndpoint, site=staff_site)
class ModelEndpointAdmin(DomainModelAdmin):
    can_add = can_change = can_delete = True
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


def _releases(agent_id: str) -> list[dict[str, Any]]:
    """An agent's releases, newest first, with their collections by name."""
    try:
        wanted = uuid.UUID(agent_id)
    except ValueError:
        return []
    rows = list(
        Release.objects.filter(agent_id=wanted)
        .select_related("endpoint", "created_by")
        .defer("endpoint__api_key")[:_RELEASES_SHOWN]
    )
    names = dict(
        Collection.objects.filter(pk__in={pk for row in rows for pk in row.collection_ids}).values_list("pk", "name")
    )
    return [
        {"row": row, "collections": [names.get(pk, "a deleted collection") for pk in row.collection_ids]}
        for row in rows
    ]
