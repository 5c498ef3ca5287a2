"""Ready templates: whole agents, as configuration, to begin from.

Each is a YAML file beside this module. `manage.py config apply --tenant … --file agents/ready_made/receptionist.yaml`
applies it too; the admin offers them under "New agent".
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Template:
    """One of them.

    Args:
        slug: of the template and of the agent that people talk to.
    """

    slug: str
    name: str
    about: str

    @property
    def path(self) -> Path:
        return _FOLDER / f"{self.slug}.yaml"

    def read(self) -> bytes:
        """The document."""
        return self.path.read_bytes()


@functools.cache
def templates() -> dict[str, Template]:
    """All of them, by slug."""
    found = (
        Template(
            "receptionist",
            "Receptionist",
            "For a hotel or restaurant: reserves tables, answers questions and prices from documents, takes enquiries "
            "down and fetches a person.",
        ),
        Template(
            "real-estate",
            "Estate agency",
            "For an estate agency: arranges viewings, answers questions and prices from documents, takes down who is "
            "looking or selling, and fetches a person.",
        ),
    )
    return {template.slug: template for template in found}
