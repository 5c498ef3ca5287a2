"""What a content names but doesn't hold: endpoints, credentials. Checked when it is published."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agents.content.base import Content, Fault, read
from agents.content.runtime import RuntimeContent
from agents.content.tool import ToolContent
from agents.models import ModelEndpoint
from agents.providers import CAN
from tenants.vault.models import Secret


def faults_of(kind: type[Content], raw: Mapping[str, Any]) -> tuple[Content | None, list[Fault]]:
    """A draft as a content, and everything that is wrong with it, what it names included."""
    content, faults = read(kind, raw)
    if content is not None and not faults:
        faults = missing_references(content)
    return content, faults


def missing_references(content: Content) -> list[Fault]:
    """A fault for everything that a content names and nobody made, or that isn't made for what it is named for."""
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
    known = ModelEndpoint.objects.filter(name__in=wanted).values_list("name", "provider") if wanted else ()
    return content.endpoint_faults(dict(known), CAN)
