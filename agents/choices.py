"""What the pages offer to choose from, and what uses what, each in a constant number of queries."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection as Several
from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.db.models import F, Func, OuterRef, Q, QuerySet, Subquery, UUIDField

from agents.models import (
    Agent,
    Component,
    ModelEndpoint,
    Personality,
    Prompt,
    RuntimeConfig,
    Tool,
    ToolVersion,
)
from agents.providers import CAN
from tenants.vault.models import Secret

MOST_OFFERED: Final = 300
_SERVING: Final = ("live_release", "canary_release")
_PATHS: Final[dict[type[Component], str]] = {
    Prompt: "prompt__component",
    Personality: "personality__component",
    RuntimeConfig: "runtime_config__component",
}


def used_by(kind: type[Component], pks: Several[uuid.UUID]) -> dict[uuid.UUID, int]:
    """How many agents are served, live or as a canary, by something made of each entry."""
    if not pks:
        return {}
    pairs = _uses_of_tools(pks) if kind is Tool else _uses_by_key(kind, pks)
    return Counter(component for component, _ in set(pairs))


def _uses_by_key(kind: type[Component], pks: Several[uuid.UUID]) -> Iterable[tuple[uuid.UUID, uuid.UUID]]:
    path = _PATHS.get(kind)
    if path is None:
        return []
    agents = Agent.objects.filter(deleted_at=None).order_by()
    live, canary = (
        agents.filter(**{f"{serving}__{path}__in": pks}).values_list(f"{serving}__{path}", "pk") for serving in _SERVING
    )
    return live.union(canary)


def _uses_of_tools(pks: Several[uuid.UUID]) -> Iterable[tuple[uuid.UUID, uuid.UUID]]:
    agents = Agent.objects.filter(deleted_at=None).order_by()
    live, canary = (
        agents.annotate(
            version=Func(F(f"{serving}__tool_version_ids"), function="unnest", output_field=UUIDField())
        ).values_list("version", "pk")
        for serving in _SERVING
    )
    uses = list(live.union(canary))
    components = dict(
        ToolVersion.objects.filter(pk__in={version for version, _ in uses}, component__in=pks).values_list(
            "pk", "component_id"
        )
    )
    return [(components[version], agent) for version, agent in uses if version in components]


def serving_agents(component: Component) -> QuerySet[Agent]:
    """Agents whose live or canary release is made of an entry."""
    agents = Agent.objects.filter(deleted_at=None)
    if isinstance(component, Tool):
        versions = list(component.versions.values_list("pk", flat=True))
        return agents.filter(
            Q(live_release__tool_version_ids__overlap=versions) | Q(canary_release__tool_version_ids__overlap=versions)
        )
    path = _PATHS.get(type(component))
    if path is None:
        return agents.none()
    return agents.filter(Q(**{f"live_release__{path}": component}) | Q(**{f"canary_release__{path}": component}))


def endpoint_choices() -> list[tuple[str, str]]:
    """What a model that answers messages can be asked through."""
    rows = ModelEndpoint.objects.order_by("name").values_list("name", "provider")
    return [("", "Built-in local model"), *((name, name) for name, provider in rows if "chat" in CAN[provider])]


def speech_choices() -> list[tuple[str, str]]:
    """What can hear or speak."""
    rows = ModelEndpoint.objects.order_by("name").values_list("name", "provider")
    able = ((name, _deeds(provider)) for name, provider in rows)
    return [("", "Built in"), *((name, f"{name} ({deeds})") for name, deeds in able if deeds)]


def _deeds(provider: str) -> str:
    words = {"hear": "hears", "speak": "speaks", "realtime": "realtime"}
    return ", ".join(word for task, word in words.items() if task in CAN[provider])


def secret_choices() -> list[tuple[str, str]]:
    """What a tool can sign in with, by name."""
    return [("", "None"), *((name, name) for name in Secret.objects.order_by("name").values_list("name", flat=True))]


def tags_of(kind: type[Component]) -> list[str]:
    """Every tag that an entry of a registry has, in order."""
    rows = kind._default_manager.filter(deleted_at=None).order_by()
    return sorted(set(rows.annotate(tag=Func(F("tags"), function="unnest")).values_list("tag", flat=True)))


def latest_versions(
    kind: type[Component], *, also: Several[uuid.UUID] = (), q: str = "", most: int = MOST_OFFERED
) -> Sequence[Any]:
    """Versions that a release can be made of: the latest of each entry, and those named besides.

    Args:
        also: ids of versions to list whatever their age.
        q: a part of the entry's name or slug.
        most: entries; the alphabetically first. Whoever has more finds the others by search.
    """
    versions: Any = kind.version_model._default_manager
    latest = (
        kind._default_manager.filter(Q(name__icontains=q) | Q(slug__icontains=q), deleted_at=None, latest_version__gt=0)
        .annotate(
            newest=Subquery(
                versions.filter(component=OuterRef("pk"), number=OuterRef("latest_version")).values("pk")[:1]
            )
        )
        .values_list("newest", flat=True)[:most]
    )
    rows = versions.filter(Q(pk__in=list(latest)) | Q(pk__in=list(also)))
    # Of prompts the variables are asked for; the rest of contents and drafts can be megabytes, and shows nowhere.
    unseen = ["component__draft"] if kind is Prompt else ["component__draft", "content"]
    return list(rows.select_related("component").defer(*unseen).order_by("component__name", "component_id", "-number"))
