"""Arguments that a model wants to call a tool with, after it has read who knows what.

What a contact is asked to confirm is shown to the letter, and what a tool is asked may be told elsewhere. So arguments
that hold what an answer must not hold aren't made harmless but left out: what would be shown then wouldn't be what is
run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agents.engine.guardrails.discretion import reveals, texts_in
from agents.engine.guardrails.hosts import LinkPolicy
from agents.engine.guardrails.links import defuse


def safe_arguments(arguments: Mapping[str, Any], *, prompt: str, links: LinkPolicy) -> dict[str, Any]:
    """Those arguments that neither lead to strangers nor read the agent's instructions out."""
    kept = {
        name: value
        for name, value in arguments.items()
        if not reveals(prompt, value) and all(defuse(text, links) == text for text in texts_in(value))
    }
    return {} if reveals(prompt, kept) else kept
