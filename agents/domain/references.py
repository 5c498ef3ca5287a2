"""What a content names but doesn't hold: endpoints, credentials. Checked when it is published."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agents.content.base import Content, Fault, read
from agents.content.runtime import RuntimeContent
from agents.content.tool import ToolContent
from agents.models import ModelEndpoint
from tenants.vault.models import Secret


def faults_of(kind: type[Content], raw: Mapping[str, Any]) -> tuple[Content | None, list[Fault]]:
    """A draft as a content, and everything that is wrong with it, what it names included."""
    content, faults = read(kind, raw)
    if content is not None and not faults:
        faults = missing_references(content)
    return content, faults


def missing_references(content: Content) -> list[Fault]:
    """A fault for everything that a content names and nobody made."""
    if isinstance(content, RuntimeContent):
        return _missing_endpoints(content)
    if isinstance(content, ToolContent):
        return _missing_secret(content.credentials)
    return []


def _missing_secret(name: str) -> list[Fault]:
    if not name or Secret.objects.filter(name=name).exists():
        return []
    return [Fault("credentials", f"There is no secret named {name}.")]


def _missing_endpoints(content: RuntimeContent) -> list[Fault]:
    wanted = content.endpoints()
    if not wanted:
        return []
    known = set(ModelEndpoint.objects.filter(name__in=wanted).values_list("name", flat=True))
    places = [("llm", content.llm), ("judge", content.judge)]
    places += [(f"fallbacks.{index}", choice) for index, choice in enumerate(content.fallbacks)]
    return [
        Fault(f"{place}.endpoint", f"There is no model endpoint named {choice.endpoint}.")
        for place, choice in places
        if choice is not None and choice.endpoint and choice.endpoint not in known
    ]
