"""A prompt filled in for whoever wants to see it; nothing is kept."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils import timezone

from agents.content.prompt import BUILT_IN, PromptContent, TemplateRefused, render, values_for
from agents.domain.components import DraftRefused
from agents.domain.references import faults_of
from agents.models import Prompt
from agents.queries import DRAFT, LATEST, version_of
from switchboard.kernel.problems import Invalid
from tenants.context import current_tenant


def render_prompt(*, prompt: Prompt, values: Mapping[str, str], version: int | str = DRAFT) -> str:
    """A prompt as a model would read it.

    Args:
        values: of its declared variables; built-in ones may be given too, and are the usual ones otherwise.
        version: a number, `latest` or `draft`.

    Raises:
        Invalid: `variables_refused`, where one is unknown or missing.
        Problem: 422 `draft_invalid`, where the draft couldn't be published.
        NotFound: there is no such version.
    """
    content = _content(prompt, version)
    usual = {
        "agent_name": "Agent",
        "tenant_name": current_tenant().name,
        "today": timezone.now().date().isoformat(),
    }
    built_in = {name: values.get(name, usual[name]) for name in BUILT_IN}
    try:
        filled = values_for(content, {name: value for name, value in values.items() if name not in BUILT_IN})
        return render(content.template, {**filled, **built_in})
    except TemplateRefused as error:
        raise Invalid("variables_refused", str(error), field="values") from None


def _content(prompt: Prompt, version: int | str) -> PromptContent:
    if version != DRAFT:
        return PromptContent.model_validate(version_of(prompt, LATEST if version == LATEST else int(version)).content)
    content, faults = faults_of(PromptContent, prompt.draft)
    if not isinstance(content, PromptContent) or faults:
        raise DraftRefused(prompt, faults)
    return content
