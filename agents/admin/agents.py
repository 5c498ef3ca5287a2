"""Agents in the staff's admin: what serves, the releases, and the editor of their profile."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, Final, cast

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.text import slugify
from django.views.decorators.http import require_POST, require_safe

from agents.admin.base import ComponentAdmin
from agents.admin.composing import ComposePages
from agents.admin.releases import ReleasePages, states_of
from agents.choices import endpoint_choices
from agents.content.runtime import LOCAL_MODEL
from agents.domain.agents import compose_agent, configure_agent
from agents.domain.ready_made import apply_template
from agents.forms import QuickStartForm
from agents.models import Agent, Release
from agents.ready_made import templates
from agents.releases import resolve
from agents.traffic import traffic_of
from knowledge.models import Collection
from switchboard.admin import staff_site
from switchboard.kernel.problems import Problem
from switchboard.model_admin import show_in_form
from tenants.permissions import Permission, allows

_RELEASES_SHOWN: Final = 50
_COLLECTIONS_OFFERED: Final = 200


@admin.register(Agent, site=staff_site)
class AgentAdmin(ReleasePages, ComposePages, ComponentAdmin):
    list_display: Sequence[str] = ("title_cell", "serving_cell", "state_cell", "changed_cell", "try_it")
    list_select_related = ("drafted_by", "live_release", "canary_release")
    icon = "smart_toy"
    about = "An agent answers people. What it does is fixed by a release, made of the parts you choose."
    editor_page = "profile"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("draft", "live_release__snapshot", "canary_release__snapshot")

    def get_list_display(self, request: HttpRequest) -> Sequence[str]:
        talks = allows(request.user, Permission.CONVERSATIONS_WRITE)
        return [name for name in self.list_display if talks or name != "try_it"]

    @admin.display(description="Serving", ordering="live_release__number")
    def serving_cell(self, row: Agent) -> str:
        return self._cell("serving", row)

    @admin.display(description="")
    def try_it(self, row: Agent) -> str:
        return self._cell("try", row)

    # --- its pages ------------------------------------------------------------------------------------------------

    def tabs(self) -> Sequence[str]:
        return (*super().tabs(), "profile", "compose", "playground", "configure", "end_canary")

    def get_urls(self) -> list[URLPattern]:
        return [
            self.at_path("<uuid:pk>/profile/", self.profile_view, "profile"),
            self.at_path("<uuid:pk>/configure/", require_POST(self.configure_view), "configure"),
            self.at_path("<uuid:pk>/playground/", require_safe(self.playground_view), "playground"),
            self.at_path("from-parts/", super().add_view, "from_parts"),
            self.at_path("from-template/", require_POST(self.template_view), "from_template"),
            *super().get_urls(),
        ]

    def row_page(self, request: HttpRequest, row: Any) -> HttpResponse:
        """What serves, and the releases."""
        agent = cast(Agent, row)
        releases = list(
            Release.objects.filter(agent=agent)
            .select_related("created_by", "copy_of", "prompt", "profile")
            .defer("snapshot", "variables", "copy_of__snapshot", "prompt__content", "profile__content")[
                :_RELEASES_SHOWN
            ]
        )
        serving = [pk for pk in (agent.live_release_id, agent.canary_release_id) if pk is not None]
        served = traffic_of({*serving, *(release.pk for release in releases)})
        return self.page(
            request,
            "admin/agents/agent/overview.html",
            title=str(agent),
            original=agent,
            agent=agent,
            is_fullwidth="1",
            releases=[
                {"row": release, "states": states_of(agent, release), "traffic": served.get(release.pk)}
                for release in releases
            ],
            live_traffic=served.get(cast(uuid.UUID, agent.live_release_id)),
            canary_traffic=served.get(cast(uuid.UUID, agent.canary_release_id)),
            more=len(releases) == _RELEASES_SHOWN,
            has_profile=agent.latest_version > 0,
            live_share=100 - agent.canary_percent,
            **self.about_row(request, agent, "change"),
        )

    def profile_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """The editor of the agent's own versioned part."""
        permission = Permission.AGENTS_WRITE if request.method == "POST" else Permission.AGENTS_READ
        return self.edit_view(request, self.entry(request, pk, permission))

    def after_save(self, row: Any) -> str:
        return self.at(row, "profile")

    def configure_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Pause it, resume it, hold it to its tests."""
        agent = self.entry(request, pk, Permission.AGENTS_PUBLISH)
        status = request.POST.get("status")
        if status in Agent.Status.values:
            configure_agent(agent=agent, status=status)
            messages.success(request, f"“{agent}” is {'paused' if status == Agent.Status.PAUSED else 'active'}.")
        if "require_tests" in request.POST:
            wanted = request.POST["require_tests"] == "yes"
            configure_agent(agent=agent, require_tests=wanted)
            words = "only goes live with green tests" if wanted else "goes live without being asked for tests"
            messages.success(request, f"A release of “{agent}” {words}.")
        return HttpResponseRedirect(self.at(agent))

    def playground_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """A conversation with the agent, over the same API that programs use."""
        rows = Agent.objects.select_related("live_release")
        agent = self.row(request, Permission.CONVERSATIONS_WRITE, rows, pk=pk)
        release = agent.live_release
        chosen = self._chosen_release(request, agent)
        release = chosen or release
        resolved = resolve(release.pk) if release else None
        return self.page(
            request,
            "admin/agents/agent/playground.html",
            title=f"Playground: {agent}",
            original=agent,
            agent=agent,
            release=release,
            is_preview=chosen is not None and chosen.pk != agent.live_release_id,
            resolved=resolved,
            is_fullwidth="1",
            playground={
                "agent": str(agent.pk),
                "release": str(chosen.pk) if chosen else None,
                "conversations": "/api/v1/conversations",
                "meetings": "/api/v1/meetings" if settings.LIVEKIT_URL else "",
                "releases": {str(pk): number for pk, number in _numbers(agent)},
                "releaseAddress": reverse("admin:agents_agent_release", args=[agent.pk, uuid.UUID(int=0)]),
                "welcome": resolved.runtime.welcome_message if resolved else "",
                "questions": resolved.profile.suggested_questions if resolved else (),
                "ready": release is not None,
            },
        )

    def _chosen_release(self, request: HttpRequest, agent: Agent) -> Release | None:
        """The release that the address names; a preview is for those who may read agents."""
        named = request.GET.get("release")
        if not named or not allows(request.user, Permission.AGENTS_READ, on=agent):
            return None
        try:
            return Release.objects.filter(agent=agent, pk=uuid.UUID(named)).first()
        except ValueError:
            return None

    # --- a new one ------------------------------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_write_permission(request)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """An agent that answers, from five answers; it is live at once."""
        self.require(request, Permission.AGENTS_PUBLISH)
        form = QuickStartForm(request.POST or None)
        endpoints = endpoint_choices()
        offered = list(Collection.objects.order_by("name").values_list("pk", "name")[:_COLLECTIONS_OFFERED])
        cast(Any, form.fields["model"]).choices = endpoints
        cast(Any, form.fields["collections"]).choices = [(str(pk), name) for pk, name in offered]
        if request.method == "POST" and form.is_valid():
            try:
                release = _compose(form.cleaned_data, request)
            except Problem as problem:
                show_in_form(form, problem)
            else:
                messages.success(request, f"“{release.agent}” is live. Say something to it.")
                return HttpResponseRedirect(reverse("admin:agents_agent_playground", args=[release.agent_id]))
        return self.page(
            request,
            "admin/agents/agent/quick_start.html",
            title="New agent",
            status=422 if form.errors else 200,
            form=form,
            has_endpoints=len(endpoints) > 1,
            has_collections=bool(offered),
            from_parts_url=reverse("admin:agents_agent_from_parts"),
            templates=templates().values(),
            collections=Collection.objects.order_by("name")[:_COLLECTIONS_OFFERED],
            from_template_url=reverse("admin:agents_agent_from_template"),
        )

    def template_view(self, request: HttpRequest) -> HttpResponse:
        """The agents of a ready template, live at once."""
        self.require(request, Permission.AGENTS_PUBLISH)
        self.require(request, Permission.KNOWLEDGE_WRITE)  # a collection comes with them
        template = templates().get(request.POST.get("template", ""))
        if template is None:
            raise Http404
        try:
            chosen = Collection.objects.filter(slug__in=request.POST.getlist("read"))[:_COLLECTIONS_OFFERED]
            agent = apply_template(template=template, collections=list(chosen), by=cast(Any, request.user))
        except Problem as problem:
            messages.error(request, problem.detail)
            return HttpResponseRedirect(reverse("admin:agents_agent_add"))
        messages.success(request, f"“{agent}” and its agents are live. Say something to them.")
        return HttpResponseRedirect(self.at(agent))


def _compose(values: dict[str, Any], request: HttpRequest) -> Release:
    slug = slugify(values["name"])[:60].strip("-") or f"agent-{uuid.uuid4().hex[:6]}"
    return compose_agent(
        name=values["name"],
        slug=slug,
        prompt=values["prompt"],
        endpoint=values["model"],
        model=(values["model_name"] or "") if values["model"] else LOCAL_MODEL,
        collection_ids=[uuid.UUID(pk) for pk in values["collections"]],
        welcome=values["welcome"],
        by=cast(Any, request.user),
    )


def _numbers(agent: Agent) -> Any:
    return Release.objects.filter(agent=agent).order_by("-number").values_list("pk", "number")[:200]
