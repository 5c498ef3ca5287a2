"""How much each release serves: asked here, answered by the app that has the conversations."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

WINDOW: Final = dt.timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a release did within `WINDOW`."""

    conversations: int = 0
    turns: int = 0
    failed: int = 0
    last_at: dt.datetime | None = None


NONE: Final = Traffic()
Read = Callable[[Collection[uuid.UUID]], Mapping[uuid.UUID, Traffic]]
_read: Read | None = None


def read_with(read: Read) -> None:
    """Say who counts. Called once, by the app that has the conversations."""
    global _read
    _read = read


def traffic_of(release_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Traffic]:
    """The traffic of each of these releases, `NONE` for one that served nobody; one query for all."""
    found = _read(release_ids) if _read is not None and release_ids else {}
    return {pk: found.get(pk, NONE) for pk in release_ids}
