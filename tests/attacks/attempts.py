"""What strangers try, as the data file tells it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import yaml

Through = Literal["document", "title", "tool_result", "tool_description", "contact", "contact_before"]
_FILE: Final = Path(__file__).with_name("attacks.yaml")


@dataclass(frozen=True, slots=True)
class Attack:
    """One attempt.

    Args:
        through: how its text reaches the model.
        text: `{attacker}` stands for the address of a server of the attacker's.
    """

    name: str
    through: Through
    text: str

    def against(self, attacker: str) -> str:
        """Its text, with the attacker's address."""
        return self.text.replace("{attacker}", attacker)


def all_attacks() -> list[Attack]:
    """The suite."""
    return [Attack(**one) for one in yaml.safe_load(_FILE.read_text())]
