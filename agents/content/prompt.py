"""Prompts: a template, and the variables it declares."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from pydantic import Field

from agents.content.base import Content, Fault, Line, Name, Part, Text

# Known in every turn; a prompt may use them without declaring them.
BUILT_IN: Final[Mapping[str, str]] = {
    "agent_name": "The agent's name.",
    "tenant_name": "The company's name.",
    "today": "Today's date, such as 2026-11-21.",
}
# A value counts as often as it is used: a short template can name a long one thousands of times.
MOST_CHARACTERS: Final = 400_000
_PLACEHOLDER: Final = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,59}")


class TemplateRefused(ValueError):
    """A template can't be filled in: a variable that nobody declared, one without a value, or far too long a text."""


class Variable(Part):
    """Something a release fills in, once for all its conversations."""

    name: Name
    description: Line = ""
    required: bool = True
    default: Text = Field(default="", description="Used where a release gives no value; only if not required.")


class PromptContent(Content):
    """The instructions of an agent. `{{ name }}` stands for a variable; nothing else in it is special."""

    template: Text = Field(min_length=1)
    variables: tuple[Variable, ...] = Field(default=(), max_length=50)

    def faults(self) -> list[Fault]:
        found = []
        seen: set[str] = set()
        for index, variable in enumerate(self.variables):
            if variable.name in BUILT_IN:
                found.append(Fault(f"variables.{index}.name", f"{variable.name} is known without being declared."))
            if variable.name in seen:
                found.append(Fault(f"variables.{index}.name", f"{variable.name} is declared twice."))
            seen.add(variable.name)
        for name in names_in(self.template):
            if not _NAME.fullmatch(name):
                found.append(Fault("template", f"{{{{ {name} }}}} is no variable's name."))
            elif name not in seen and name not in BUILT_IN:
                found.append(Fault("template", f"{{{{ {name} }}}} is used but not declared."))
        return found


def names_in(template: str) -> Iterator[str]:
    """The variables a template uses, each once, in order."""
    yield from dict.fromkeys(found.strip() for found in _PLACEHOLDER.findall(template))


def values_for(content: PromptContent, given: Mapping[str, str]) -> dict[str, str]:
    """A value for each declared variable.

    Raises:
        TemplateRefused: one is given that isn't declared, a required one is missing, or the text would be too long.
    """
    declared = {variable.name: variable for variable in content.variables}
    unknown = sorted(given.keys() - declared.keys())
    if unknown:
        raise TemplateRefused(f"The prompt has no variable {', '.join(unknown)}.")
    missing = [name for name, variable in declared.items() if variable.required and not given.get(name, "").strip()]
    if missing:
        raise TemplateRefused(f"The prompt needs a value for {', '.join(missing)}.")
    values = {name: given.get(name) or variable.default for name, variable in declared.items()}
    size = len(content.template) + sum(
        len(values.get(found.strip(), "")) for found in _PLACEHOLDER.findall(content.template)
    )
    if size > MOST_CHARACTERS:
        raise TemplateRefused(f"Filled in, the prompt would have {size:,} characters; {MOST_CHARACTERS:,} is the most.")
    return values


def render(template: str, values: Mapping[str, str]) -> str:
    """A template with its variables filled in. What a value holds is not looked at again.

    Raises:
        TemplateRefused: a variable has no value.
    """

    def fill(match: re.Match[str]) -> str:
        name = match[1].strip()
        if name not in values:
            raise TemplateRefused(f"{{{{ {name} }}}} has no value.")
        return values[name]

    return _PLACEHOLDER.sub(fill, template)
