"""Clients that chat, and what they see: when each token was sent by the model and when it arrived."""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.http_client import Connection, EventParser

_TOKEN = re.compile(r"(\d+)@(\d+)")


@dataclass(slots=True)
class Chat:
    """One message and its answer.

    Args:
        asked: when the request was sent, monotonic microseconds.
        extra_first: from the model's stamp on its first token to its arrival, microseconds.
        waited: from the request to the arrival of the first token, microseconds.
        arrivals: when each token arrived, monotonic microseconds.
        text: the whole answer.
    """

    asked: int
    extra_first: int = 0
    waited: int = 0
    arrivals: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    text: str = ""
    is_finished: bool = False

    def take(self, name: str, data: str, arrived: int) -> None:
        """An event of the answer."""
        if name not in ("delta", "message"):
            if name == "error":
                raise RuntimeError(f"the chat failed: {data}")
            self.is_finished = name == "done"
            return
        text = json.loads(data)["text"]
        self.text += text
        for number, stamp in _TOKEN.findall(text):
            if not self.numbers:
                self.extra_first, self.waited = arrived - int(stamp), arrived - self.asked
            self.numbers.append(int(number))
            self.arrivals.append(arrived)


@dataclass(frozen=True, slots=True)
class Seen:
    """What all clients of one level saw.

    Args:
        steady: tokens per second while every client was chatting.
        wrong: chats whose tokens weren't each there once and in order.
    """

    chats: Sequence[Chat]
    steady: float
    wrong: int


async def chat_away(
    *,
    clients: int,
    chats: int,
    tokens: int,
    connect: Callable[[], Connection],
    path_of: Callable[[int], str],
    content_of: Callable[[int], str],
    ends_with_done: bool,
) -> Seen:
    """Let clients chat, each one chat after the other. They begin spread over the first second, as people would.

    Args:
        chats: how many each client does.
        tokens: how many each answer has.
        path_of: where the n-th chat's message is posted.
        ends_with_done: whether a stream must say that it is over.
    """
    finished: list[list[Chat]] = [[] for _ in range(clients)]
    ended_at: list[int] = [0] * clients
    spread = random.Random(clients)
    begun = time.monotonic_ns() // 1000

    async def client(number: int) -> None:
        connection = connect()
        if clients > 1:
            await asyncio.sleep(spread.random())
        for index in range(chats):
            serial = number * chats + index
            chat = Chat(time.monotonic_ns() // 1000)
            events = EventParser(lambda _id, name, data, arrived, chat=chat: chat.take(name, data, arrived))  # type: ignore[misc]
            answer = await connection.request(
                "POST",
                path_of(serial),
                {"content": content_of(serial)},
                headers={"Accept": "text/event-stream"},
                on_body=events.feed,
            )
            if answer.status != 200:
                raise RuntimeError(f"a chat was answered with {answer.status}: {answer.body[:500]!r}")
            finished[number].append(chat)
        ended_at[number] = time.monotonic_ns() // 1000
        connection.close()

    async with asyncio.TaskGroup() as group:
        for number in range(clients):
            group.create_task(client(number))
    all_chats = [chat for own in finished for chat in own]
    first, last = begun + 1_300_000, min(ended_at)
    in_window = sum(1 for chat in all_chats for arrived in chat.arrivals if first <= arrived < last)
    wrong = sum(chat.numbers != list(range(tokens)) or (ends_with_done and not chat.is_finished) for chat in all_chats)
    return Seen(all_chats, in_window / ((last - first) / 1e6), wrong)
