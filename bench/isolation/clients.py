"""Clients of several tenants at once, who do everything that clients do, and much that they should not."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import uuid
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from websockets.asyncio.client import connect as connect_socket
from websockets.exceptions import ConnectionClosed, InvalidStatus

from bench.companies import Company
from bench.http_client import BrokenConnectionError, Connection, EventParser
from bench.isolation.tally import Tally

LIMIT = 90.0  # seconds for any one thing; the server is meant to be busy
_EVENTS = {"Accept": "text/event-stream"}


class Tenancy:
    """A company and the ids of what its clients made, which other companies' clients try to reach."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.conversations: deque[str] = deque(maxlen=300)
        self.turns: deque[tuple[str, str]] = deque(maxlen=300)
        self.documents: deque[str] = deque(maxlen=300)


class Client:
    """One client; does one thing after the other until told to stop.

    Args:
        uploads: whether documents are uploaded too, which takes a worker and an embedder.
    """

    def __init__(
        self, *, port: int, own: Tenancy, others: list[Tenancy], tally: Tally, seed: int, uploads: bool
    ) -> None:
        self._port = port
        self._own = own
        self._others = others
        self._tally = tally
        self._random = random.Random(seed)
        self._serial = 0
        company = own.company
        self._canary = company.canary
        self._connection = Connection(port=port, host=company.host, key=company.key)
        self._actions: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (4, self.list_rows),
            (6, self.stream_a_turn),
            (3, self.leave_a_stream_and_come_back),
            (3, self.read_a_thread),
            (4, self.talk_over_a_socket),
            (2, self.leave_a_socket),
            (5, self.reach_for_anothers_rows),
            (2, self.send_nonsense),
            (1, self.cancel_a_turn),
        ]
        if uploads:
            self._actions += [(1, self.upload), (1, self.search)]

    async def work(self, until: float) -> None:
        """Do things until the event loop's clock says `until`."""
        loop = asyncio.get_running_loop()
        weights = [weight for weight, _ in self._actions]
        await asyncio.sleep(self._random.random())
        while loop.time() < until:
            action = self._random.choices(self._actions, weights)[0][1]
            name = action.__name__
            self._tally.actions[name] += 1
            try:
                await action()
            except (BrokenConnectionError, TimeoutError, ConnectionClosed, ConnectionError) as error:
                self._tally.fault(f"{name}: {type(error).__name__} {error}")
        self._connection.close()

    # --- over HTTP ----------------------------------------------------------------------------------------------------
    async def list_rows(self) -> None:
        """Lists of the control plane hold this tenant's rows, and hold some."""
        path = self._random.choice(["/api/v1/agents", "/api/v1/collections", "/api/v1/endpoints"])
        body = await self._ask("GET", path, None, (200,))
        if body and not self._tally.read("rest", body, self._canary):
            self._tally.fault(f"{path} doesn't show the tenant's own row: {body[:200]!r}")

    async def stream_a_turn(self) -> None:
        """The echo of what the model was sent: this tenant's prompt and this client's words."""
        conversation = await self._begin()
        if conversation:
            said = f"{self._next()} {self._canary}"
            received = await self._say(conversation, said)
            self._check_echo("sse", received)

    async def leave_a_stream_and_come_back(self) -> None:
        """A connection cut in the middle; the rest, by Last-Event-ID, later."""
        conversation = await self._begin()
        if not conversation:
            return
        received: list[bytes] = []
        events: list[int] = []
        parser = EventParser(lambda identity, name, data, arrived: events.append(int(identity)))

        def take(data: bytes, arrived: int) -> None:
            received.append(data)
            parser.feed(data, arrived)

        path = f"/api/v1/conversations/{conversation}/messages"
        body = {"content": f"!stub-20x15 (stream cut) {self._next()} {self._canary}"}
        request = self._connection.request("POST", path, body, headers=_EVENTS, on_body=take, limit=LIMIT)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._random.uniform(0.01, 0.5)):
                await request
        self._connection.close()
        self._tally.read("sse", b"".join(received), self._canary)
        if events and self._random.random() < 0.6:
            numbers = await self._follow(conversation, after=events[-1])
            if [*events, *numbers] != list(range(1, len(events) + len(numbers) + 1)):
                self._tally.fault(f"after coming back, events were {events} and then {numbers}")

    async def _follow(self, conversation: str, *, after: int) -> list[int]:
        numbers: list[int] = []
        finished = asyncio.get_running_loop().create_future()

        def on_event(identity: str, name: str, data: str, arrived: int) -> None:
            numbers.append(int(identity))
            self._tally.read("events", data.encode(), self._canary)
            if name == "done" and not finished.done():
                finished.set_result(None)

        follower = Connection(port=self._port, host=self._own.company.host, key=self._own.company.key)
        path = f"/api/v1/conversations/{conversation}/events"
        headers = {**_EVENTS, "Last-Event-ID": str(after)}
        parser = EventParser(on_event)
        request = asyncio.create_task(follower.request("GET", path, headers=headers, on_body=parser.feed, limit=LIMIT))
        # Where the turn had told its `done` already nothing more comes; then the open turns say so.
        await asyncio.wait([request, finished], timeout=0.6, return_when=asyncio.FIRST_COMPLETED)
        while not finished.done() and not request.done() and await self._has_open_turns(conversation):
            await asyncio.wait([request, finished], timeout=0.3, return_when=asyncio.FIRST_COMPLETED)
        request.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError, TimeoutError):
            await request
        follower.close()
        return numbers

    async def _has_open_turns(self, conversation: str) -> bool:
        body = await self._ask("GET", f"/api/v1/conversations/{conversation}/messages", None, (200,))
        return bool(body and json.loads(body)["open_turns"])

    async def read_a_thread(self) -> None:
        """An earlier conversation of this tenant's, whoever began it."""
        if self._own.conversations:
            conversation = self._random.choice(self._own.conversations)
            body = await self._ask("GET", f"/api/v1/conversations/{conversation}/messages", None, (200,))
            if body:
                self._tally.read("thread", body, self._canary)

    async def cancel_a_turn(self) -> None:
        """A turn stopped while it speaks."""
        conversation = await self._begin()
        path = f"/api/v1/conversations/{conversation}"
        words = {"content": f"!stub-50x20 {self._next()} {self._canary}"}
        body = await self._ask("POST", f"{path}/messages", words, (202,)) if conversation else None
        if body:
            await asyncio.sleep(self._random.uniform(0, 0.3))
            await self._ask("DELETE", f"{path}/turns/{json.loads(body)['turn']}", None, (202, 204))

    # --- documents ----------------------------------------------------------------------------------------------------
    async def upload(self) -> None:
        """A document that says whose it is."""
        boundary = uuid.uuid4().hex
        text = f"Paper {boundary} of {self._canary}. Breakfast is served from {self._random.randint(5, 10)}.\n" * 3
        fields = {"collection": str(self._own.company.collection), "title": f"Paper {self._canary}"}
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        ]
        parts.append(
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="paper.txt"\r\n'
            f"Content-Type: text/plain\r\n\r\n{text}\r\n--{boundary}--\r\n"
        )
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        body = await self._ask("POST", "/api/v1/documents", "".join(parts).encode(), (202,), headers)
        if body:
            self._tally.read("rest", body, self._canary)
            self._own.documents.append(json.loads(body)["id"])

    async def search(self) -> None:
        """Passages are this tenant's."""
        question = {"query": "When is breakfast served?", "collections": [str(self._own.company.collection)]}
        body = await self._ask("POST", "/api/v1/search", question, (200,))
        if body:
            self._tally.read("search", body, self._canary)

    # --- over a websocket ---------------------------------------------------------------------------------------------
    async def talk_over_a_socket(self) -> None:
        """A conversation over a websocket, two messages long."""
        conversation = await self._begin()
        if not conversation:
            return
        async with asyncio.timeout(LIMIT), self._socket(conversation) as socket:
            for _ in range(2):
                content = f"{self._next()} {self._canary}"
                await socket.send(json.dumps({"type": "message", "content": content}))
                received = b""
                while True:
                    frame = str(await socket.recv())
                    received += frame.encode()
                    self._tally.read("websocket", frame.encode(), self._canary)
                    event = json.loads(frame)
                    if event["event"] == "problem":
                        self._tally.fault(f"websocket: {frame[:200]}")
                        return
                    if event["event"] == "done":
                        break
                self._check_echo("", received)

    async def leave_a_socket(self) -> None:
        """A websocket dropped without a goodbye while the agent speaks."""
        conversation = await self._begin()
        if not conversation:
            return
        async with asyncio.timeout(LIMIT), self._socket(conversation) as socket:
            content = f"!stub-20x15 (socket dropped) {self._next()} {self._canary}"
            await socket.send(json.dumps({"type": "message", "content": content}))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._random.uniform(0.01, 0.4)):
                    while True:
                        self._tally.read("websocket", str(await socket.recv()).encode(), self._canary)
            socket.transport.abort()

    def _socket(self, conversation: str) -> Any:
        company = self._own.company
        return connect_socket(
            f"ws://{company.host}:{self._port}/ws/conversations/{conversation}",
            host="127.0.0.1",
            port=self._port,
            additional_headers={"Authorization": f"Bearer {company.key}"},
            proxy=None,
            open_timeout=LIMIT,
            close_timeout=5,
            ping_interval=None,
        )

    # --- what must not work -------------------------------------------------------------------------------------------
    async def reach_for_anothers_rows(self) -> None:
        """Ids of another tenant's: not found, whatever is done with them."""
        other = self._random.choice(self._others)
        agent = str(other.company.agent)
        tries: list[tuple[str, str, Any]] = [
            ("GET", f"/api/v1/agents/{agent}", None),
            ("GET", f"/api/v1/agents/{agent}/releases", None),
            ("POST", "/api/v1/conversations", {"agent": agent}),
            ("GET", f"/api/v1/collections/{other.company.collection}", None),
        ]
        if other.conversations:
            path = f"/api/v1/conversations/{self._random.choice(other.conversations)}"
            tries += [("GET", path, None), ("GET", f"{path}/messages", None), ("GET", f"{path}/events", None)]
            tries += [("POST", f"{path}/messages", {"content": f"{self._canary} was here"})]
        if other.turns:
            conversation, turn = self._random.choice(other.turns)
            tries += [("DELETE", f"/api/v1/conversations/{conversation}/turns/{turn}", None)]
        if other.documents:
            path = f"/api/v1/documents/{self._random.choice(other.documents)}"
            tries += [("GET", path, None), ("GET", f"{path}/file", None), ("DELETE", path, None)]
        method, path, body = self._random.choice(tries)
        # In a body an unknown id is a fault of the body; another tenant's is as unknown as any.
        answer = await self._ask(method, path, body, (422,) if body and "agent" in body else (404,))
        if answer:
            self._tally.read("refused", answer, self._canary)
        if other.conversations and self._random.random() < 0.2:
            await self._knock(self._random.choice(other.conversations))

    async def _knock(self, conversation: str) -> None:
        try:
            async with asyncio.timeout(LIMIT), self._socket(conversation) as socket:
                self._tally.fault(f"a websocket of another tenant's conversation opened: {socket.id}")
        except InvalidStatus as refused:
            self._tally.status("websocket", refused.response.status_code, (403, 404))

    async def send_nonsense(self) -> None:
        """Requests that no client should send."""
        other = self._random.choice(self._others).company
        nobody = f"/api/v1/conversations/{uuid.uuid4()}"
        conversation = self._random.choice(self._own.conversations or [str(uuid.uuid4())])
        say = f"/api/v1/conversations/{conversation}/messages"
        method, path, body, expected = self._random.choice(
            [
                ("GET", nobody, None, (404,)),
                ("POST", f"{nobody}/messages", {"content": "Hello"}, (404,)),
                ("GET", "/api/v1/conversations/no-such-id", None, (404, 422)),
                ("POST", say, b"{not json", (400, 422)),
                ("POST", say, {"content": "NUL \x00 byte"}, (422,)),
                ("POST", say, {"content": ""}, (422,)),
                ("POST", say, {"content": "x" * 40_000}, (413, 422)),
                ("POST", "/api/v1/conversations", {"agent": str(uuid.uuid4())}, (422,)),
            ]
        )
        headers = {"Content-Type": "application/json"} if isinstance(body, bytes) else None
        await self._ask(method, path, body, expected, headers)
        if self._random.random() < 0.3:
            stranger = Connection(port=self._port, host=self._own.company.host, key=other.key)
            answer = await stranger.request("GET", "/api/v1/agents", limit=LIMIT)
            self._tally.status("another tenant's key", answer.status, (401,), answer.body)
            self._tally.read("refused", answer.body, self._canary)
            stranger.close()

    # --- parts --------------------------------------------------------------------------------------------------------
    async def _ask(
        self, method: str, path: str, body: Any, expected: tuple[int, ...], headers: dict[str, str] | None = None
    ) -> bytes | None:
        answer = await self._connection.request(method, path, body, headers=headers, limit=LIMIT)
        self._tally.status(f"{method} {path}", answer.status, expected, answer.body)
        return answer.body if answer.status in expected else None

    async def _begin(self) -> str:
        body = await self._ask("POST", "/api/v1/conversations", {"agent": str(self._own.company.agent)}, (201,))
        if not body:
            return ""
        conversation = str(json.loads(body)["id"])
        self._own.conversations.append(conversation)
        return conversation

    async def _say(self, conversation: str, content: str) -> bytes:
        received: list[bytes] = []
        answer = await self._connection.request(
            "POST",
            f"/api/v1/conversations/{conversation}/messages",
            {"content": content},
            headers=_EVENTS,
            on_body=lambda data, arrived: received.append(data),
            limit=LIMIT,
        )
        self._tally.status("message", answer.status, (200,), answer.body)
        turn = answer.headers.get("location", "").rpartition("/")[2]
        if turn:
            self._own.turns.append((conversation, turn))
        return b"".join(received)

    def _check_echo(self, what: str, received: bytes) -> None:
        text = "".join(json.loads(data)["text"] for data in _deltas(received))
        own = self._tally.read(what, text.encode(), self._canary) if what else text.count(self._canary)
        # Once in the prompt, once in the words.
        if own < 2:
            self._tally.fault(f"an answer lacks its own prompt or question: {received[-400:]!r}")

    def _next(self) -> str:
        self._serial += 1
        return f"Question {self._serial}"


def _deltas(received: bytes) -> list[str]:
    """The data of the deltas in what came over SSE or a websocket."""
    text = received.decode()
    if text.startswith("{"):
        decoder, position, found = json.JSONDecoder(), 0, []
        while position < len(text):
            frame, position = decoder.raw_decode(text, position)
            if frame["event"] == "delta":
                found.append(json.dumps(frame["data"]))
        return found
    found = []
    parser = EventParser(lambda identity, name, data, arrived: found.append(data) if name == "delta" else None)
    parser.feed(received, 0)
    return found
