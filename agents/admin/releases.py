"""A release's page, and what can be done with it: go live, canary, roll back. Each asks first, and why."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, Final, cast

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import NoReverseMatch, URLPattern, reverse
from django.views.decorators.http import require_safe

from agents.domain import releases
from agents.models import Agent, Release, ToolVersion
from agents.queries import release_changes
from switchboard.kernel.problems import Problem
from tenants.flags.models import Flag
from tenants.permissions import Permission

_OTHERS_OFFERED: Final = 100
_FLAGS_OFFERED: Final = 200


class ReleasePages:
    """Mixed into the admin of agents."""

    def get_urls(self: Any) -> list[URLPattern]:
        at = "<uuid:pk>/releases/<uuid:release>/"
        return [
            self.at_path(at, require_safe(self.release_view), "release"),
            self.at_path(f"{at}go-live/", self.go_live_view, "go_live"),
            self.at_path(f"{at}canary/", self.canary_view, "canary"),
            self.at_path(f"{at}roll-back/", self.roll_back_view, "roll_back"),
            self.at_path("<uuid:pk>/end-canary/", self.end_canary_view, "end_canary"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def release_of(
        self: Any, request: HttpRequest, pk: uuid.UUID, release: uuid.UUID, permission: Permission
    ) -> Release:
        """A release of an agent, for whoever has a permission on the agent."""
        agent = self.entry(request, pk, permission)
        rows: QuerySet[Release] = Release.objects.select_related("agent", "created_by", "copy_of")
        found: Release = self.row(request, permission, rows.filter(agent=agent), pk=release)
        return found

    def release_view(self: Any, request: HttpRequest, pk: uuid.UUID, release: uuid.UUID) -> HttpResponse:
        """What it is made of, and what differs from another."""
        row = self.release_of(request, pk, release, Permission.AGENTS_READ)
        agent = row.agent
        others = list(
            Release.objects.filter(agent=agent).exclude(pk=row.pk).only("id", "number", "message")[:_OTHERS_OFFERED]
        )
        against = self._against(request, agent, row, others)
        return self.page(  # type: ignore[no-any-return]
            request,
            "admin/agents/release/detail.html",
            title=f"{agent} #{row.number}",
            original=agent,
            is_fullwidth="1",
            release=row,
            states=states_of(agent, row),
            is_live=agent.live_release_id == row.pk,
            is_canary=agent.canary_release_id == row.pk,
            has_live=agent.live_release_id is not None,
            was_live=row.pk in agent.served_release_ids,
            parts=_parts_of(row),
            others=others,
            against=against,
            changes=release_changes(against, row) if against else None,
            tests_url=_tests_url(row),
            release_urls=self._release_urls(agent, row),
            **self.about_row(request, agent, "release"),
        )

    @staticmethod
    def _against(request: HttpRequest, agent: Agent, row: Release, others: list[Release]) -> Release | None:
        """What a release is compared with: what somebody chose, else the live one, else the one before."""
        wanted = request.GET.get("against", "")
        named = next((other for other in others if str(other.pk) == wanted), None)
        live = next((other for other in others if other.pk == agent.live_release_id), None)
        before = next((other for other in others if other.number < row.number), None)
        return named or live or before

    def _release_urls(self: Any, agent: Agent, row: Release) -> dict[str, str]:
        pages = {page: self.at(agent, page, row.pk) for page in ("release", "go_live", "canary", "roll_back")}
        pages["try"] = f"{self.at(agent, 'playground')}?release={row.pk}"
        pages["compose"] = f"{self.at(agent, 'compose')}?from={row.pk}"
        return pages

    # --- what changes who is served -------------------------------------------------------------------------------

    def go_live_view(self: Any, request: HttpRequest, pk: uuid.UUID, release: uuid.UUID) -> HttpResponse:
        row = self.release_of(request, pk, release, Permission.AGENTS_PUBLISH)

        def act(message: str, moves: bool) -> str:
            releases.go_live(release=row, message=message, withdraw_previous=moves)
            return f"{row} is live."

        return self._confirm(  # type: ignore[no-any-return]
            request,
            row.agent,
            act,
            title=f"Put {row} live",
            what="go_live",
            release=row,
            compared=_live(row.agent),
            moves=False,
        )

    def roll_back_view(self: Any, request: HttpRequest, pk: uuid.UUID, release: uuid.UUID) -> HttpResponse:
        row = self.release_of(request, pk, release, Permission.AGENTS_PUBLISH)

        def act(message: str, moves: bool) -> str:
            made = releases.roll_back(to=row, message=message, withdraw_current=moves, by=cast(Any, request.user))
            return f"#{made.number} is live: the same as #{row.number}."

        return self._confirm(  # type: ignore[no-any-return]
            request,
            row.agent,
            act,
            title=f"Roll back to #{row.number}",
            what="roll_back",
            release=row,
            compared=_live(row.agent),
            moves=True,
        )

    def canary_view(self: Any, request: HttpRequest, pk: uuid.UUID, release: uuid.UUID) -> HttpResponse:
        row = self.release_of(request, pk, release, Permission.AGENTS_PUBLISH)
        agent = row.agent
        is_canary = agent.canary_release_id == row.pk
        percent = request.POST.get("percent", str(agent.canary_percent if is_canary else 10)).strip()
        flag = request.POST.get("flag", agent.canary_flag if is_canary else "").strip()

        def act(message: str, moves: bool) -> str:
            share = (
                int(percent)
                if percent.isascii() and percent.isdigit() and len(percent) < 4
                else (0 if not percent else -1)
            )
            releases.start_canary(release=row, percent=share, flag=flag, message=message)
            words = " and ".join(
                [*([f"{share} % of contacts"] if share else []), *([f"the flag {flag}"] if flag else [])]
            )
            return f"{row} serves {words}."

        return self._confirm(  # type: ignore[no-any-return]
            request,
            agent,
            act,
            title=f"{row} as a canary",
            what="canary",
            release=row,
            compared=_live(agent),
            percent=percent,
            flag=flag,
            flags=_flag_choices(flag),
            is_canary=is_canary,
        )

    def end_canary_view(self: Any, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        agent = self.entry(request, pk, Permission.AGENTS_PUBLISH)
        if agent.canary_release_id is None:
            messages.info(request, f"“{agent}” has no canary.")
            return HttpResponseRedirect(self.at(agent))

        def act(message: str, moves: bool) -> str:
            releases.end_canary(agent=agent, message=message, withdraw=moves)
            return "The canary is over; the live release serves everybody."

        return self._confirm(  # type: ignore[no-any-return]
            request,
            agent,
            act,
            title="End the canary",
            what="end_canary",
            release=agent.canary_release,
            compared=None,
            moves=True,
        )

    def _confirm(
        self: Any,
        request: HttpRequest,
        agent: Agent,
        act: Callable[[str, bool], str],
        *,
        compared: Release | None,
        release: Release,
        **context: Any,
    ) -> HttpResponse:
        """Ask first. A refusal is told on the same page, with all that was filled in."""
        message, refusal, status = request.POST.get("message", "").strip(), "", 200
        if request.method == "POST":
            context["moves"] = "moves" in request.POST
            try:
                messages.success(request, act(message, context["moves"]))
                return HttpResponseRedirect(self.at(agent))
            except Problem as problem:
                refusal, status = problem.detail, problem.status
        differs = compared is not None and compared.pk != release.pk
        return self.page(  # type: ignore[no-any-return]
            request,
            "admin/agents/release/confirm.html",
            status=status,
            original=agent,
            release=release,
            compared=compared if differs else None,
            changes=release_changes(compared, release) if differs else None,
            message=message,
            refusal=refusal,
            **context,
            **self.about_row(request, agent, "release"),
        )


def states_of(agent: Agent, release: Release) -> list[tuple[str, str]]:
    """What a release is just now, in words, and the badge's colour."""
    states = []
    if agent.live_release_id == release.pk:
        states.append(("paused", "sb-busy") if agent.status == Agent.Status.PAUSED else ("live", "sb-good"))
    if agent.canary_release_id == release.pk:
        share = f" {agent.canary_percent} %" if agent.canary_percent else ""
        states.append((f"canary{share}", "sb-busy"))
    if release.pk in agent.withdrawn_release_ids:
        states.append(("withdrawn", "sb-bad"))
    if not states:
        states.append(("was live", "") if release.pk in agent.served_release_ids else ("preview", "sb-info"))
    if release.copy_of_id is not None and release.copy_of is not None:
        states.append((f"rollback to #{release.copy_of.number}", ""))
    return states


def _live(agent: Agent) -> Release | None:
    return agent.live_release


def _flag_choices(current: str) -> list[str]:
    keys = list(Flag.objects.order_by("key").values_list("key", flat=True)[:_FLAGS_OFFERED])
    return keys if current in {"", *keys} else [*keys, current]


def _tests_url(release: Release) -> str:
    """The page of its test runs, where there is one."""
    try:
        return reverse("admin:agents_release_tests", args=[release.pk])
    except NoReverseMatch:
        return ""


def _parts_of(release: Release) -> list[dict[str, Any]]:
    """What a release is made of, each with its page; two queries besides its own."""
    row = Release.objects.select_related(
        "prompt__component", "personality__component", "runtime_config__component", "profile__component"
    ).get(pk=release.pk)
    tools = {
        str(version.component.slug): version
        for version in ToolVersion.objects.filter(pk__in=release.tool_version_ids).select_related("component")
    }
    snapshot = release.snapshot
    parts = [
        _part("Profile", "agent", row.profile, "badge"),
        _part("Prompt", "prompt", row.prompt, "notes"),
        _part("Personality", "personality", row.personality, "theater_comedy"),
        _part("Runtime config", "runtimeconfig", row.runtime_config, "tune"),
        *[_part("Tool", "tool", tools.get(tool["slug"]), "build") for tool in snapshot["tools"]],
    ]
    parts += [
        {
            "what": "Sub-agent",
            "icon": "smart_toy",
            "name": f"{sub['agent']['name']} #{sub['number']}",
            "url": reverse("admin:agents_agent_release", args=[sub["agent"]["id"], sub["release"]]),
        }
        for sub in snapshot["sub_agents"]
    ]
    parts += [
        {
            "what": "Collection",
            "icon": "folder_open",
            "name": collection["name"],
            "url": reverse("admin:knowledge_collection_change", args=[collection["id"]]),
        }
        for collection in snapshot["collections"]
    ]
    return parts


def _part(what: str, model: str, version: Any, icon: str) -> dict[str, Any]:
    if version is None:
        return {"what": what, "icon": icon, "name": ""}
    address = reverse(f"admin:agents_{model}_versions", args=[version.component_id])
    return {
        "what": what,
        "icon": icon,
        "name": str(version.component),
        "version": version.number,
        "url": f"{address}?to={version.number}",
    }
