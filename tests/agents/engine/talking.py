"""A conversation with a release, turn after turn, without a channel around it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from agents import releases
from agents.domain.composition import Parts
from agents.engine.events import Event
from agents.engine.turn import TurnRequest, run_turn
from agents.models import Release
from switchboard.kernel.ids import uuid7
from tests.factories import AgentFactory, PromptFactory, ReleaseFactory, RuntimeConfigFactory, ToolFactory


@dataclass(slots=True)
class Heard:
    """What happened in one turn, and the steps that its channel would keep."""

    events: list[Event]
    steps: list[dict[str, Any]] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(event.data["text"] for event in self.events if event.kind == "delta")

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event.data for event in self.events if event.kind == kind]


@dataclass(slots=True)
class Talk:
    """One conversation."""

    release_id: uuid.UUID
    contact: str = "ada"
    conversation_id: uuid.UUID = field(default_factory=uuid7)
    history: list[tuple[Any, str]] = field(default_factory=list)

    async def say(self, text: str, *, turn_id: uuid.UUID | None = None, attempt: int = 1, **more: Any) -> Heard:
        """The contact says something, and the agent answers."""
        release = await releases.resolve_async(self.release_id)
        request = TurnRequest(
            release,
            tuple(self.history),
            text,
            conversation_id=self.conversation_id,
            turn_id=turn_id or uuid7(),
            contact=self.contact,
            attempt=attempt,
            **more,
        )
        heard = Heard([event async for event in run_turn(request)], request.steps)
        self.history += [("contact", text), ("agent", heard.text)]
        return heard


def release_with(
    *tools: dict[str, Any],
    name: str = "Desk",
    llm: dict[str, Any] | None = None,
    fallbacks: Sequence[dict[str, Any]] = (),
    sub_releases: Sequence[Release] = (),
    profile: dict[str, Any] | None = None,
    safety: dict[str, Any] | None = None,
    collections: Sequence[uuid.UUID] = (),
    cache: dict[str, Any] | None = None,
) -> Release:
    """A release of an agent of its own, with these tools.

    Args:
        tools: contents, with `name` and `slug`.
    """
    slug = name.lower().replace(" ", "-")
    agent = AgentFactory.create(live=False, name=name, slug=slug, **({"content": profile} if profile else {}))
    made = []
    for tool in tools:
        content = {key: value for key, value in tool.items() if key not in {"name", "slug"}}
        made.append(ToolFactory.create(name=tool["name"], slug=tool["slug"], content=content).versions.get().pk)
    runtime = RuntimeConfigFactory.create(
        content={"llm": llm or {}, "fallbacks": list(fallbacks), "safety": safety or {}, "cache": cache or {}}
    )
    parts = Parts(
        prompt=PromptFactory.create().versions.get().pk,
        runtime_config=runtime.versions.get().pk,
        tools=tuple(made),
        sub_releases=tuple(release.pk for release in sub_releases),
        collections=tuple(collections),
    )
    release: Release = ReleaseFactory.create(agent=agent, parts=parts)
    return release
