"""What the agents of one turn share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from agents.content.runtime import ModelChoice
from agents.engine.cache import CacheKey
from agents.engine.request import TurnRequest
from agents.engine.tracing import Trace
from agents.releases import BoundTool, ResolvedRelease
from knowledge.search import Hit


@dataclass(slots=True)
class TurnState:
    """One turn, whichever agents answer parts of it.

    Attributes:
        language: of what the contact said, such as `en`.
        passages: every passage that an answer of this turn may cite, by its number.
        used_tools: whether anything but documents went into the answer.
        knew_contact: whether a model was shown anything about the contact, or of earlier talk.
        is_refused: whether a policy kept something out of the answer.
        frames_metered: whether the pictures are booked. They are once a turn, however often a model is shown them.
        cache_key: under what the answer may be kept for others; None where it may not.
        words: the contact's own, before anything was taken out of them. No model is shown them.
        own_hosts: where an answer may lead without more ado: the tenant's own hosts.
    """

    request: TurnRequest
    trace: Trace
    language: str = "en"
    passages: dict[int, Hit] = field(default_factory=dict)
    used_tools: bool = False
    own_hosts: frozenset[str] = frozenset()
    words: str = ""
    knew_contact: bool = False
    is_refused: bool = False
    is_from_cache: bool = False
    frames_metered: bool = False
    cache_key: CacheKey | None = None

    def take_passages(self, hits: Sequence[Hit]) -> dict[int, Hit]:
        """Number further passages, after those that the turn has already."""
        # Not the count: two agents number theirs at the same time, each block by itself.
        first = max(self.passages, default=0)
        taken = dict(enumerate(hits, start=first + 1))
        self.passages |= taken
        return taken


def chain_of(release: ResolvedRelease) -> tuple[ModelChoice, ...]:
    """The models that may answer for a release, in the order they are tried; empty for the built-in one."""
    return tuple(choice for choice in (release.runtime.llm, *release.runtime.fallbacks) if choice.endpoint)


def tool_called(release: ResolvedRelease, slug: str) -> BoundTool | None:
    """The release's tool with this slug: no other is ever run, whoever names it."""
    return next((tool for tool in release.tools if tool.slug == slug), None)
