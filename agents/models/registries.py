"""The four registries that an agent is made of, and their versions."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from agents.content.personality import PersonalityContent
from agents.content.prompt import PromptContent
from agents.content.runtime import RuntimeContent
from agents.content.tool import ToolContent
from agents.models.component import Component, Version


class Prompt(Component):
    """Instructions, with variables that a release fills in."""

    content_type = PromptContent
    word = "prompt"


class PromptVersion(Version):
    component = models.ForeignKey(Prompt, on_delete=models.PROTECT, related_name="versions")

    class Meta(Version.Meta):
        constraints = [models.UniqueConstraint(fields=["component", "number"], name="one_prompt_version_per_number")]

    def __str__(self) -> str:
        return f"{self.component} v{self.number}"


class Tool(Component):
    """Something an agent can do besides talking."""

    content_type = ToolContent
    word = "tool"


class ToolVersion(Version):
    component = models.ForeignKey(Tool, on_delete=models.PROTECT, related_name="versions")

    class Meta(Version.Meta):
        constraints = [models.UniqueConstraint(fields=["component", "number"], name="one_tool_version_per_number")]

    def __str__(self) -> str:
        return f"{self.component} v{self.number}"


class Personality(Component):
    """How an agent speaks. A tenant may have a default one, which new releases take."""

    content_type = PersonalityContent
    word = "personality"

    is_default = models.BooleanField(default=False)

    class Meta(Component.Meta):
        verbose_name_plural = "personalities"
        constraints = [
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="one_default_personality")
        ]


class PersonalityVersion(Version):
    component = models.ForeignKey(Personality, on_delete=models.PROTECT, related_name="versions")

    class Meta(Version.Meta):
        constraints = [
            models.UniqueConstraint(fields=["component", "number"], name="one_personality_version_per_number")
        ]

    def __str__(self) -> str:
        return f"{self.component} v{self.number}"


class RuntimeConfig(Component):
    """The models and devices an agent runs on, and its limits."""

    content_type = RuntimeContent
    word = "runtime config"


class RuntimeConfigVersion(Version):
    component = models.ForeignKey(RuntimeConfig, on_delete=models.PROTECT, related_name="versions")

    class Meta(Version.Meta):
        constraints = [
            models.UniqueConstraint(fields=["component", "number"], name="one_runtime_config_version_per_number")
        ]

    def __str__(self) -> str:
        return f"{self.component} v{self.number}"


Prompt.version_model = PromptVersion
Tool.version_model = ToolVersion
Personality.version_model = PersonalityVersion
RuntimeConfig.version_model = RuntimeConfigVersion
