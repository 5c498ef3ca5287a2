"""What is in use, and so can't be deleted or renamed."""

from __future__ import annotations

from django.db.models import Q

from agents.models import Agent, Component, Personality, Prompt, Release, RuntimeConfig, RuntimeConfigVersion, Tool
from switchboard.kernel.problems import Conflict


def serving_releases() -> Q:
    """Of releases: those that answer new conversations now."""
    serving = Agent.objects.filter(deleted_at=None)
    return Q(pk__in=serving.values("live_release_id")) | Q(pk__in=serving.values("canary_release_id"))


def refuse_if_used(component: Component) -> None:
    """Refuse to delete what a serving release is made of.

    Raises:
        Conflict: `component_in_use`.
    """
    users = _releases_of(component)
    if users is None:
        return
    used_by = Release.objects.filter(users, serving_releases()).select_related("agent").first()
    if used_by is not None:
        raise Conflict(
            "component_in_use",
            f"The release {used_by}, which is serving, is made of the {component.word} “{component}”.",
        )


def _releases_of(component: Component) -> Q | None:
    match component:
        case Prompt():
            return Q(prompt__component=component)
        case Personality():
            return Q(personality__component=component)
        case RuntimeConfig():
            return Q(runtime_config__component=component)
        case Tool():
            return Q(tool_version_ids__overlap=list(component.versions.values_list("pk", flat=True)))
        case Agent():
            return Q(sub_release_ids__overlap=list(component.releases.values_list("pk", flat=True)))
    return None


def tools_with_secret(name: str) -> list[str]:
    """The tools of which a published version signs in with a secret, as people know them."""
    used = Tool.objects.filter(versions__content__credentials=name).order_by("name").distinct()
    return [f"tool “{tool}”" for tool in used]


def is_endpoint_used(name: str) -> bool:
    """Whether a published runtime config names an endpoint: versions never change, so neither may the name."""
    one, several = ("llm", "judge", "stt", "tts", "realtime"), ("fallbacks", "stt_fallbacks", "tts_fallbacks")
    named = Q()
    for place in one:
        named |= Q(content__contains={place: {"endpoint": name}})
    for place in several:
        named |= Q(content__contains={place: [{"endpoint": name}]})
    return RuntimeConfigVersion.objects.filter(named).exists()
