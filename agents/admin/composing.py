"""A new release, put together from parts: begun from the live one, with the latest version of each part chosen."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.urls import URLPattern
from django.views.decorators.http import require_safe

from agents.choices import MOST_OFFERED, latest_versions
from agents.content.prompt import BUILT_IN
from agents.domain.composition import DEFAULT, Parts
from agents.domain.releases import make_release
from agents.models import (
    Agent,
    AgentVersion,
    Component,
    Personality,
    Prompt,
    Release,
    RuntimeConfig,
    TestCase,
    Tool,
    Version,
)
from knowledge.models import Collection
from switchboard.kernel.problems import Invalid, Problem
from tenants.permissions import Permission

_SEARCHED: Final[Mapping[str, type[Component]]] = {
    "prompt": Prompt,
    "personality": Personality,
    "runtime_config": RuntimeConfig,
}
_FOUND: Final = 50
_LONGEST_TERM: Final = 100
_COLLECTIONS_OFFERED: Final = 300
_AGENTS_OFFERED: Final = 300
_CASES_OFFERED: Final = 300
_VARIABLE: Final = "variable."
_SEVERAL: Final = ("tools", "sub_releases", "collections")


class ComposePages:
    """Mixed into the admin of agents."""

    def get_urls(self: Any) -> list[URLPattern]:
        return [
            self.at_path("<uuid:pk>/releases/new/", self.compose_view, "compose"),
            self.at_path("<uuid:pk>/releases/new/parts/<slug:kind>/", require_safe(self.parts_view), "parts"),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def compose_view(self: Any, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Choose the parts; what comes of it is a preview until it goes live."""
        agent = self.entry(request, pk, Permission.AGENTS_WRITE)
        faults: dict[str, str] = {}
        status = 200
        if request.method == "POST":
            parts: Parts | None = None
            try:
                parts = _posted(request.POST)
                release = make_release(
                    agent=agent,
                    parts=parts,
                    message=request.POST.get("message", ""),
                    test_case_ids=_ids(request.POST, "test_case_ids") if "cases_listed" in request.POST else None,
                    by=cast(Any, request.user),
                )
            except Problem as problem:
                status = problem.status
                faults = {error.get("field", ""): error["message"] for error in problem.errors} or {"": problem.detail}
            else:
                messages.success(request, f"{release} is made. It is a preview: try it, then put it live.")
                return HttpResponseRedirect(self.at(agent, "release", release.pk))
            chosen = _Chosen.of_post(request.POST)
        else:
            chosen = _Chosen.of_release(_begin_from(request, agent))
        return self.page(  # type: ignore[no-any-return]
            request,
            "admin/agents/release/compose.html",
            title=f"New release of {agent}",
            status=status,
            original=agent,
            agent=agent,
            faults=faults,
            message=request.POST.get("message", ""),
            built_in=dict(BUILT_IN),
            **chosen.context(agent),
            **self.about_row(request, agent, "release"),
        )

    def parts_view(self: Any, request: HttpRequest, pk: uuid.UUID, kind: str) -> HttpResponse:
        """Parts by a piece of their names, for a company that has more than a select can hold."""
        self.entry(request, pk, Permission.AGENTS_WRITE)
        registry = _SEARCHED.get(kind)
        if registry is None:
            raise Http404
        term = request.GET.get("q", "").replace("\x00", "")[:_LONGEST_TERM]
        versions = latest_versions(registry, q=term, most=_FOUND)
        found = [
            {"id": str(row.pk), "label": _label(row), "variables": row.content.get("variables", [])} for row in versions
        ]
        return JsonResponse({"parts": found}, headers={"Cache-Control": "no-store"})


class _Chosen:
    """What is selected on the page: by ids as text, whatever somebody sent."""

    def __init__(
        self,
        *,
        single: Mapping[str, str],
        several: Mapping[str, Sequence[str]],
        variables: Mapping[str, str],
        source: Release | None = None,
    ) -> None:
        self.single, self.several, self.variables, self.source = single, several, variables, source

    @classmethod
    def of_release(cls, release: Release | None) -> _Chosen:
        if release is None:
            return cls(single={"personality": DEFAULT}, several={}, variables={})
        tools = _chosen_first(
            Tool.version_model._default_manager.filter(pk__in=release.tool_version_ids),
            [str(pk) for pk in release.tool_version_ids],
        )
        return cls(
            single={
                "prompt": _latest_of(Prompt, release.prompt),
                "personality": _latest_of(Personality, release.personality),
                "runtime_config": _latest_of(RuntimeConfig, release.runtime_config),
            },
            several={
                "tools": [_latest_of(Tool, version) for version in tools],
                "sub_releases": [str(pk) for pk in _live_of(release.sub_release_ids)],
                "collections": [str(pk) for pk in release.collection_ids],
            },
            variables=release.variables,
            source=release,
        )

    @classmethod
    def of_post(cls, data: QueryDict) -> _Chosen:
        names = ("prompt", "personality", "runtime_config", "profile")
        return cls(
            single={name: data.get(name, "") for name in names},
            several={name: data.getlist(name) for name in (*_SEVERAL, "test_case_ids")},
            variables=_variables(data),
        )

    def context(self, agent: Agent) -> dict[str, Any]:
        """What the page's selects offer."""
        used = _used_by(self.source)
        prompts = _options(Prompt, self.single.get("prompt"), used.get("prompt"))
        tools = self.several.get("tools", ())
        profiles = list(AgentVersion.objects.filter(component=agent).defer("content")[:20])
        latest = AgentVersion.objects.filter(component=agent).order_by("-number").first()
        kind = latest.content.get("kind") if latest else "domain"
        collections = self.several.get("collections", ())
        return {
            "selects": [
                _select("prompt", "Prompt", prompts, self.single.get("prompt", ""), required=True),
                _select(
                    "personality",
                    "Personality",
                    _options(Personality, self.single.get("personality"), used.get("personality")),
                    self.single.get("personality", ""),
                    first=[(DEFAULT, "The tenant's default, if there is one"), ("", "None")],
                ),
                _select(
                    "runtime_config",
                    "Runtime config",
                    _options(RuntimeConfig, self.single.get("runtime_config"), used.get("runtime_config")),
                    self.single.get("runtime_config", ""),
                    first=[("", "The built-in local model, by text")],
                ),
            ],
            "variables_of": {
                str(version.pk): [
                    {**variable, "value": self.variables.get(variable["name"], "")}
                    for variable in version.content.get("variables", [])
                ]
                for version in prompts
            },
            "tools": [
                {"version": version, "is_chosen": str(version.pk) in tools}
                for version in _chosen_first(_options(Tool, *tools, *used.get("tools", [])), tools)
            ],
            "collections": [
                {"row": row, "is_chosen": str(row.pk) in collections}
                for row in _chosen_first(Collection.objects.order_by("name")[:_COLLECTIONS_OFFERED], collections)
            ],
            "cases": self._cases(agent),
            "is_supervisor": kind == "supervisor",
            "sub_agents": self._sub_agents(agent) if kind == "supervisor" else [],
            "profiles": profiles,
            "chosen_profile": self.single.get("profile", ""),
            "source": self.source,
        }

    def _cases(self, agent: Agent) -> list[dict[str, Any]]:
        """The agent's test cases; a release carries all that are enabled unless somebody takes one out."""
        chosen = self.several.get("test_case_ids")
        rows = TestCase.objects.filter(agent=agent, deleted_at=None, enabled=True).order_by("name")
        return [
            {"row": row, "is_chosen": chosen is None or str(row.pk) in chosen}
            for row in rows.only("name")[:_CASES_OFFERED]
        ]

    def _sub_agents(self, agent: Agent) -> list[dict[str, Any]]:
        others = Agent.objects.filter(deleted_at=None).exclude(pk=agent.pk).exclude(live_release=None)
        chosen = self.several.get("sub_releases", ())
        rows = others.select_related("live_release").defer("draft", "live_release__snapshot")
        return [
            {"agent": row, "release": row.live_release, "is_chosen": str(row.live_release_id) in chosen}
            for row in rows.order_by("name")[:_AGENTS_OFFERED]
        ]


def _begin_from(request: HttpRequest, agent: Agent) -> Release | None:
    """The release a new one is begun from: the one that the address names, else the live one, else the newest."""
    rows = Release.objects.filter(agent=agent).select_related("prompt", "personality", "runtime_config")
    try:
        named = uuid.UUID(request.GET.get("from", ""))
    except ValueError:
        named = None
    for wanted in (named, agent.live_release_id):
        found = rows.filter(pk=wanted).first() if wanted else None
        if found is not None:
            return found
    return rows.order_by("-number").first()


def _used_by(release: Release | None) -> dict[str, list[str]]:
    if release is None:
        return {}
    return {
        "prompt": [str(release.prompt_id)],
        "personality": [str(release.personality_id)] if release.personality_id else [],
        "runtime_config": [str(release.runtime_config_id)] if release.runtime_config_id else [],
        "tools": [str(pk) for pk in release.tool_version_ids],
    }


def _latest_of(kind: type[Component], version: Any) -> str:
    """The newest published version of the entry that a version is of."""
    if version is None:
        return ""
    versions: Any = kind.version_model._default_manager
    return str(versions.filter(component=version.component_id).order_by("-number").values_list("pk", flat=True).first())


def _live_of(pks: Sequence[uuid.UUID]) -> Iterable[uuid.UUID]:
    """The live releases of the agents whose releases these are."""
    return Agent.objects.filter(releases__in=pks).exclude(live_release=None).values_list("live_release_id", flat=True)


def _options(kind: type[Component], *chosen: Any) -> Sequence[Version]:
    """The latest version of every entry, and those that are chosen, whatever their age."""
    also = []
    for one in chosen:
        for text in one if isinstance(one, list) else [one]:
            try:
                also.append(uuid.UUID(str(text)))
            except ValueError:
                continue
    return latest_versions(kind, also=also)


def _chosen_first(rows: Iterable[Any], chosen: Sequence[str]) -> list[Any]:
    """What is chosen already, in its order, so that a release that changes nothing of it doesn't differ in it."""
    places = {pk: index for index, pk in enumerate(chosen)}
    return sorted(rows, key=lambda row: places.get(str(row.pk), len(places)))


def _select(
    name: str,
    label: str,
    versions: Sequence[Any],
    chosen: str,
    *,
    first: Sequence[tuple[str, str]] = (),
    required: bool = False,
) -> dict[str, Any]:
    options = [*first, *((str(version.pk), _label(version)) for version in versions)]
    is_cut = len(versions) >= MOST_OFFERED
    return {"name": name, "label": label, "options": options, "chosen": chosen, "required": required, "is_cut": is_cut}


def _label(version: Any) -> str:
    return f"{version.component.name} · v{version.number}"


def _posted(data: QueryDict) -> Parts:
    """The parts that somebody chose.

    Raises:
        Invalid: `release_invalid`, where something is no id or the prompt is missing.
    """
    prompt = _id(data.get("prompt"), "prompt")
    if prompt is None:
        raise Invalid("release_invalid", "Choose a prompt.", field="prompt")
    personality = data.get("personality", DEFAULT)
    return Parts(
        prompt=prompt,
        profile=_id(data.get("profile"), "profile"),
        personality=DEFAULT if personality == DEFAULT else _id(personality, "personality"),
        runtime_config=_id(data.get("runtime_config"), "runtime_config"),
        tools=_ids(data, "tools"),
        sub_releases=_ids(data, "sub_releases"),
        collections=_ids(data, "collections"),
        variables=_variables(data),
    )


def _variables(data: QueryDict) -> dict[str, str]:
    given = {
        key.removeprefix(_VARIABLE): str(data[key]).replace("\r\n", "\n") for key in data if key.startswith(_VARIABLE)
    }
    return {name: value for name, value in given.items() if value.strip()}


def _ids(data: QueryDict, name: str) -> tuple[uuid.UUID, ...]:
    found = [_id(text, name) for text in data.getlist(name)]
    return tuple(pk for pk in found if pk is not None)


def _id(text: str | None, name: str) -> uuid.UUID | None:
    if not text:
        return None
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Invalid("release_invalid", "There is no such published version.", field=name) from None
