"""What the home page says of agents: who serves, what waits. In a constant number of queries."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import F, OuterRef, Q, Subquery, Value

from agents.models import Agent, Component, Personality, Prompt, Release, RuntimeConfig, TestRun, Tool

_KINDS: Final[tuple[type[Component], ...]] = (Prompt, Personality, RuntimeConfig, Tool, Agent)
_RED: Final = (TestRun.Status.FAILED, TestRun.Status.ERROR)


def serving_agents(*, most: int) -> list[Agent]:
    """Agents by name, with the releases that serve; one more than asked for where there are more."""
    rows = Agent.objects.filter(deleted_at=None).select_related("live_release", "canary_release")
    return list(rows.defer("draft", "live_release__snapshot", "canary_release__snapshot")[: most + 1])


def canaries(*, most: int) -> list[Agent]:
    """Agents with a canary under way."""
    rows = Agent.objects.filter(deleted_at=None, canary_release__isnull=False).select_related("canary_release")
    return list(rows.defer("draft", "canary_release__snapshot")[:most])


def waiting_releases(*, most: int) -> list[Release]:
    """Previews that are newer than what is live: the newest of each agent."""
    newest = Release.objects.filter(agent=OuterRef("pk")).order_by("-number").values("pk")[:1]
    agents = Agent.objects.filter(deleted_at=None).annotate(newest=Subquery(newest)).exclude(newest=None)
    waiting = agents.filter(Q(live_release=None) | ~Q(live_release=F("newest"))).exclude(canary_release=F("newest"))
    pks = list(waiting.order_by("-newest").values_list("newest", flat=True)[:most])
    rows = Release.objects.filter(pk__in=pks).select_related("agent", "created_by")
    return list(rows.defer("snapshot", "agent__draft").order_by("-created_at"))


def failed_tests(*, most: int) -> list[TestRun]:
    """Of each agent the newest run of tests that has ended, where it didn't pass."""
    newest = TestRun.objects.filter(release__agent=OuterRef("pk")).exclude(status__in=TestRun.OPEN).order_by("-id")
    agents = Agent.objects.filter(deleted_at=None).annotate(run=Subquery(newest.values("pk")[:1])).exclude(run=None)
    rows = TestRun.objects.filter(pk__in=agents.values("run"), status__in=_RED).select_related("release__agent")
    return list(rows.defer("release__snapshot", "release__agent__draft").order_by("-id")[:most])


def unpublished_drafts(*, most: int) -> list[dict[str, Any]]:
    """Entries of all registries whose drafts differ from their latest versions, the newest first."""
    parts = [
        kind._default_manager.filter(deleted_at=None)
        .exclude(draft_revision=F("published_revision"))
        .order_by()
        .values(
            "pk",
            "name",
            "drafted_at",
            "latest_version",
            who=F("drafted_by__username"),
            kind=Value(kind._meta.model_name),
        )
        for kind in _KINDS
    ]
    words = {kind._meta.model_name: kind.word for kind in _KINDS}
    rows = parts[0].union(*parts[1:], all=True).order_by("-drafted_at")[:most]
    return [{**row, "word": words[row["kind"]]} for row in rows]
