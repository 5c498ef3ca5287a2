"""A tenant's own program, as the tests of the data plane play it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from agents.models import Agent
from tests.asgi_client import Answer, AsgiClient, Event


@dataclass
class Caller:
    """A tenant's own program: its API key, its agent, and what it does all day."""

    http: AsgiClient
    agent: Agent

    async def begin(self, **headers: str) -> uuid.UUID:
        answer = await self.http.request("POST", "/api/v1/conversations", {"agent": str(self.agent.id)}, **headers)
        assert answer.status == 201, answer.body
        return uuid.UUID(answer.json()["id"])

    async def say(self, conversation: uuid.UUID, content: Any, **headers: str) -> Answer:
        return await self.http.request(
            "POST", f"/api/v1/conversations/{conversation}/messages", {"content": content}, **headers
        )

    async def ask(self, conversation: uuid.UUID, content: str) -> list[Event]:
        """Say something and hear the answer out."""
        path = f"/api/v1/conversations/{conversation}/messages"
        async with self.http.stream("POST", path, {"content": content}, accept="text/event-stream") as answer:
            assert answer.status == 200, answer
            return [event async for event in answer.events()]

    async def listen(self, conversation: uuid.UUID, *, until: int, **headers: str) -> list[Event]:
        """The conversation's events up to a number."""
        heard = []
        async with self.http.stream("GET", f"/api/v1/conversations/{conversation}/events", **headers) as answer:
            assert answer.status == 200, answer
            async for event in answer.events():
                heard.append(event)
                if event.id >= until:
                    break
        return heard

    async def thread(self, conversation: uuid.UUID) -> Any:
        return (await self.http.request("GET", f"/api/v1/conversations/{conversation}/messages")).json()
