"""The five registries, for tests that hold for each of them."""

from __future__ import annotations

import pytest

from tests.factories import AgentFactory, PersonalityFactory, PromptFactory, RuntimeConfigFactory, ToolFactory

CONTENTS = {
    "prompts": {"template": "You answer the guests of {{ hotel }}.", "variables": [{"name": "hotel"}]},
    "tools": {"kind": "knowledge", "description": "Looks things up in the house rules."},
    "personalities": {"instructions": "You are calm and brief."},
    "runtime-configs": {"welcome_message": "Welcome to the harbour."},
    "agents": {"description": "Answers guests."},
}
FACTORIES = {
    "prompts": PromptFactory,
    "tools": ToolFactory,
    "personalities": PersonalityFactory,
    "runtime-configs": RuntimeConfigFactory,
    "agents": AgentFactory,
}
every_registry = pytest.mark.parametrize("registry", CONTENTS)
NAMED = {"name": "House", "slug": "house"}


def address_of(registry: str) -> str:
    return f"/api/v1/{registry}"
