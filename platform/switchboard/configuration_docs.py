"""The configuration in words: docs/configuration.md and .env.example, both made from `Config`."""

from __future__ import annotations

import textwrap
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from switchboard.config import ROOT, Config

_INTRODUCTION = """\
# Configuration

<!-- Written by `make configuration` from platform/switchboard/config.py; edit the descriptions there. -->

Every setting is an environment variable, or a line of `.env` in the project's folder (the environment wins). All are
optional: `make run` works without any. They are checked together when a process starts, and all faults are listed at
once.

"""


def documentation() -> str:
    """The text of docs/configuration.md."""
    return f"{_INTRODUCTION}{table()}"


def table() -> str:
    """All settings as a Markdown table."""
    rows = ["| variable | default | what it is |", "| --- | --- | --- |"]
    for name, field in _settings():
        default = _default(field)
        note = f" {note}" if (note := _limits(field)) else ""
        rows.append(f"| `{name}` | {f'`{default}`' if default else ''} | {field.description}{note} |")
    return "\n".join(rows) + "\n"


def env_example() -> str:
    """All settings as a commented-out `.env`."""
    blocks = ["# Copy to .env and uncomment what you want to change. Written by `make configuration`."]
    for name, field in _settings():
        note = f" {note}" if (note := _limits(field)) else ""
        text = f"{field.description}{note}".replace("`", "")
        comment = textwrap.fill(text, 118, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)
        blocks.append(f"{comment}\n#{name}={_default(field)}")
    return "\n\n".join(blocks) + "\n"


def _settings() -> Iterator[tuple[str, FieldInfo]]:
    for name, field in Config.model_fields.items():
        yield name.upper(), field


def _default(field: FieldInfo) -> str:
    """The default as one would write it in the environment; empty when there is none."""
    value: Any = field.default
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Path):
        return str(value.relative_to(ROOT)) if value.is_relative_to(ROOT) else str(value)
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _limits(field: FieldInfo) -> str:
    """The values allowed, as far as the type tells."""
    annotation = field.annotation
    if get_origin(annotation) is Literal:
        return f"One of {', '.join(f'`{choice}`' for choice in get_args(annotation))}."
    bounds = {
        edge: getattr(rule, edge)
        for rule in field.metadata
        for edge in ("ge", "le")
        if getattr(rule, edge, None) is not None
    }
    if isinstance(annotation, type | types.GenericAlias) and len(bounds) == 2:
        return f"From {bounds['ge']} to {bounds['le']}."
    return ""
