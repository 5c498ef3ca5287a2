"""What stands between words that others made (models, tools, documents) and the contact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from agents.engine.guardrails import LinkPolicy, OutputGuard, reveals, safe_arguments
from agents.engine.state import TurnState
from agents.releases import ResolvedRelease
from tenants.context import current_tenant


def prompt_of(release: ResolvedRelease) -> str:
    """What a release's model is told."""
    return release.instructions(tenant_name=current_tenant().name, today=timezone.localdate())


def output_guard(state: TurnState, release: ResolvedRelease) -> OutputGuard:
    """For an answer that a model makes."""
    passages = [hit.text for hit in state.passages.values()]
    # What only the tenant and the contact have written can't lead anybody astray.
    is_from_outside = bool(passages) or bool(release.tools) or state.used_tools or bool(state.request.images)
    return OutputGuard(
        release.runtime.safety,
        passages=passages,
        links=_links(state) if is_from_outside else None,
        language=state.language,
        prompt=prompt_of(release),
    )


def quoting_guard(state: TurnState, release: ResolvedRelease) -> OutputGuard:
    """For what is passed on as it came: quotations, and tools' results. They need no citation."""
    safety = release.runtime.safety.model_copy(update={"require_citations": False})
    passages = [hit.text for hit in state.passages.values()]
    return OutputGuard(safety, passages=passages, links=_links(state), language=state.language)


def passed_on(state: TurnState, release: ResolvedRelease, text: str) -> str:
    """A whole text from outside as the contact may be shown it."""
    guard = quoting_guard(state, release)
    return guard.feed(text) + guard.finish()


def proposable(state: TurnState, release: ResolvedRelease, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What of a model's arguments the contact may be asked to confirm."""
    return safe_arguments(arguments, prompt=prompt_of(release), links=_links(state))


def tells_too_much(release: ResolvedRelease, arguments: Mapping[str, Any]) -> bool:
    """Whether a model would read its instructions out to a tool."""
    return reveals(prompt_of(release), dict(arguments))


def _links(state: TurnState) -> LinkPolicy:
    return LinkPolicy.of(hosts=state.own_hosts, passages=[hit.text for hit in state.passages.values()])
