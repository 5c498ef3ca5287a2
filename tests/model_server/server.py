"""A stub of a model server over HTTP/1.1, lean enough to feed hundreds of streams.

It speaks OpenAI's chat completions, Anthropic's messages and Google's generateContent (dialects.py). Besides those and
`GET /v1/models`: `GET /_requests` tells what was asked for, `POST /_reset` forgets it.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter, deque
from typing import Any, Final
from urllib.parse import urlsplit

import httptools

from tests.model_server.answers import MODELS, Answer, answer_for, error_body, text_of
from tests.model_server.dialects import DIALECTS, Dialect, Script, call_of, dialect_of, usage_of
from tests.model_server.pictures import pictures_in

_KEPT: Final = 200
_REASONS: Final = {200: "OK", 302: "Found", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}
_STREAM_HEAD: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
    b"Cache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n"
)
_GARBAGE: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{garbage!"
REFUSED_KEY: Final = "wrong-key"
_KEY_HEADERS: Final = {dialect.key_header for dialect in DIALECTS}


class Record:
    """What this server has been asked for."""

    def __init__(self) -> None:
        self.open = 0
        self.reset()

    def reset(self) -> None:
        """Forget everything but what is under way."""
        self.counts: Counter[str] = Counter()
        self.requests: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        self.seen: set[tuple[str, str]] = set()
        self.finished = 0
        self.abandoned = 0

    def as_dict(self) -> dict[str, Any]:
        """`counts` by behaviour; `open`, `finished` and `abandoned` streams; the last `requests`."""
        return {
            "counts": dict(self.counts),
            "open": self.open,
            "finished": self.finished,
            "abandoned": self.abandoned,
            "requests": list(self.requests),
        }


class ModelProtocol(asyncio.Protocol):
    """One connection."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        self._parser: Any = None
        self._url = b""
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self._stream: _Stream | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._parser = httptools.HttpRequestParser(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._stream is not None:
            self._stream.abandon()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.close()

    # --- httptools' callbacks -----------------------------------------------------------------------------------------
    def on_message_begin(self) -> None:
        self._url, self._headers, self._body = b"", {}, bytearray()

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        path = urlsplit(self._url.decode("latin-1")).path
        method = self._parser.get_method().decode()
        dialect = dialect_of(path) if method == "POST" else None
        if dialect is not None:
            self._complete(dialect)
            return
        match method, path:
            case "GET", "/v1/models":
                models = [{"id": name, "object": "model", "created": 0, "owned_by": "stub"} for name in MODELS]
                self._send(200, {"object": "list", "data": models})
            case "GET", "/_requests":
                self._send(200, self._record.as_dict())
            case "POST", "/_reset":
                self._record.reset()
                self._send(200, {})
            case _:
                self._record.counts[path] += 1
                self._send(404, error_body(404))

    # --- answers ------------------------------------------------------------------------------------------------------
    def _complete(self, dialect: Dialect) -> None:
        try:
            request = json.loads(self._body)
            model, messages = dialect.asked(request)
        except (ValueError, KeyError, TypeError):
            self._send(400, dialect.error(400))
            return
        record = self._record
        key = self._headers.get(dialect.key_header, "").removeprefix("Bearer ")
        offered = dialect.tools(request)
        refused = key == REFUSED_KEY
        labels = [picture.label for picture in pictures_in(request)]
        answer = (
            Answer("wrong-key", status=401) if refused else answer_for(model, messages, record.seen, offered, labels)
        )
        record.counts[answer.name] += 1
        others = sorted(_KEY_HEADERS & self._headers.keys() - {dialect.key_header})
        record.requests.append({"behaviour": answer.name, "key": key, "other_keys": others, **request})
        if answer.status != 200:
            headers = {"Retry-After": "1"} if answer.status in (429, 503) else {}
            if answer.status == 302:
                headers["Location"] = f"http://{self._headers.get('host', '127.0.0.1')}/_internal"
            self._send(answer.status, dialect.error(answer.status), headers)
        elif answer.hangs_first:
            return
        elif dialect.streams(request):
            script = dialect.script(
                model, _tokens_of(messages), with_usage=answer.has_usage and dialect.counts(request)
            )
            self._stream = _Stream(self, answer, script)
            self._stream.start()
        else:
            self._loop.call_later(answer.pause * len(answer), self._send_whole, model, answer, messages)

    def _send_whole(self, model: str, answer: Answer, messages: list[dict[str, Any]]) -> None:
        if answer.end == "hang":
            return
        if answer.end != "finish":
            self._transport.close()
            return
        if answer.is_garbage:
            self._transport.write(_GARBAGE)
            return
        message: dict[str, Any] = {"role": "assistant", "content": "".join(pieces_of(answer))}
        if answer.calls:
            message["tool_calls"] = [call_of(number, *call) for number, call in enumerate(answer.calls)]
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if answer.calls else "stop"}
        body = {"id": "chatcmpl-stub", "object": "chat.completion", "created": 0, "model": model, "choices": [choice]}
        if answer.has_usage:
            body["usage"] = usage_of(_tokens_of(messages), len(answer))
        self._send(200, body)

    def _send(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        payload = json.dumps(body, ensure_ascii=False).encode()
        lines = {"Content-Type": "application/json", "Content-Length": str(len(payload)), **(headers or {})}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self._transport.write(f"HTTP/1.1 {status} {_REASONS.get(status, 'Error')}\r\n{head}\r\n".encode() + payload)

    # --- what a stream needs ------------------------------------------------------------------------------------------
    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._transport.write(data)

    def break_off(self) -> None:
        """Cut the connection in the middle of a chunked body."""
        self._transport.close()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    @property
    def record(self) -> Record:
        return self._record

    def stream_ended(self) -> None:
        """The connection is free for the next request."""
        self._stream = None


class _Stream:
    """One streamed answer, driven by timers: no task, no queue."""

    def __init__(self, connection: ModelProtocol, answer: Answer, script: Script) -> None:
        self._connection = connection
        self._answer = answer
        self._script = script
        self._sent = 0
        # A token is due at a fixed time, however late the one before was: pauses don't add up.
        self._due = connection.loop.time()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Send the head of the answer, and see to the rest."""
        self._connection.record.open += 1
        self._connection.write(_STREAM_HEAD)
        if self._answer.is_garbage:
            self._chunk("data: {this is: no JSON at all\n\ndata: <html>\n\n")
            self._finish()
            return
        self._chunk(self._script.begin())
        self._next()

    def abandon(self) -> None:
        """The client has left."""
        if self._timer is not None:
            self._timer.cancel()
        self._connection.record.open -= 1
        self._connection.record.abandoned += 1

    def _next(self) -> None:
        while self._sent < len(self._answer):
            if self._answer.pause:
                self._due += self._answer.pause
                self._timer = self._connection.loop.call_at(self._due, self._token_and_next)
                return
            self._token()
        self._end()

    def _token_and_next(self) -> None:
        self._token()
        self._next()

    def _token(self) -> None:
        answer = self._answer
        text = stamped(self._sent) if answer.pieces is None else answer.pieces[self._sent]
        self._sent += 1
        self._chunk(self._script.token(text))

    def _end(self) -> None:
        match self._answer.end:
            case "hang":
                self._timer = None
                return
            case "break":
                self._connection.record.open -= 1
                self._connection.stream_ended()
                self._connection.break_off()
                return
            case "end":
                self._finish()
                return
        for number, (name, arguments) in enumerate(self._answer.calls):
            self._sent += 1
            self._chunk(self._script.call(number, name, arguments))
        self._chunk(self._script.end(self._sent, has_calls=bool(self._answer.calls)))
        self._finish()

    def _chunk(self, text: str) -> None:
        data = text.encode()
        if data:
            self._connection.write(b"%x\r\n%b\r\n" % (len(data), data))

    def _finish(self) -> None:
        self._connection.write(b"0\r\n\r\n")
        self._connection.record.open -= 1
        self._connection.record.finished += 1
        self._connection.stream_ended()


def stamped(number: int) -> str:
    """A token that says which one it is and when it was sent, in microseconds of the machine's monotonic clock."""
    return f" {number}@{time.monotonic_ns() // 1000}"


def pieces_of(answer: Answer) -> tuple[str, ...]:
    """All tokens of an answer that isn't streamed."""
    return answer.pieces if answer.pieces is not None else tuple(stamped(number) for number in range(answer.count))


def _tokens_of(messages: list[dict[str, Any]]) -> int:
    return sum(len(text_of(message.get("content")).split()) for message in messages)


async def serve(port: int = 0, host: str = "127.0.0.1") -> tuple[asyncio.Server, int]:
    """Start serving; returns the server and its port."""
    record = Record()
    server = await asyncio.get_running_loop().create_server(lambda: ModelProtocol(record), host, port, backlog=1024)
    return server, int(server.sockets[0].getsockname()[1])
