"""What applying a document comes to, step by step: shown before, told after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from agents.configuration.reading import Path
from agents.diff import Change

# Called with whoever carries steps out: `agents.domain.configuration.Performer`.
Deed = Callable[[Any], None]


class Action(StrEnum):
    """What a step does to its entry."""

    CREATE = "create"
    RESTORE = "restore"
    CHANGE = "change"
    OVERWRITE_DRAFT = "overwrite_draft"
    PUBLISH = "publish"
    RELEASE = "release"
    GO_LIVE = "go_live"
    CANARY = "canary"
    END_CANARY = "end_canary"
    DELETE = "delete"
    KEEP = "keep"  # left as it is, against the document; the detail says why


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is done.

    Args:
        path: of the entry in the document.
        detail: the rest of the sentence that its action begins, such as `version 3`.
        changes: what differs, value by value.
        do: carries it out; None for a step that only says why nothing is done.
    """

    path: Path
    action: Action
    detail: str = ""
    changes: tuple[Change, ...] = ()
    do: Deed | None = field(default=None, compare=False, repr=False)

    @property
    def entry(self) -> str:
        """The entry's name in plans, such as `agents/marina`."""
        return "/".join(map(str, self.path[:2]))


@dataclass(frozen=True, slots=True)
class Plan:
    """All steps, in the order in which they are carried out."""

    steps: tuple[Step, ...]

    @property
    def changes_something(self) -> bool:
        """Whether anything would be different afterwards."""
        return any(step.action is not Action.KEEP for step in self.steps)

    @property
    def is_met(self) -> bool:
        """Whether the tenant is what the document says already."""
        return not self.steps


@dataclass(frozen=True, slots=True)
class Options:
    """How a document is applied.

    Args:
        live: put new releases live; else they are left as previews.
        prune: delete what the document's sections don't name.
        overwrite_drafts: also drafts that somebody is working on.
    """

    live: bool = True
    prune: bool = False
    overwrite_drafts: bool = False


AS_WRITTEN: Final = Options()
