"""What the stub model answers, decided by a name: the request's model, or a `!name` in the last message, which wins.

| name | behaviour |
| --- | --- |
| `stub-50x20` | 50 tokens, 20 ms apart, each ` <number>@<monotonic microseconds when it was sent>` |
| `stub`, `slow` | 5 tokens at once; 10 tokens 300 ms apart |
| `echo` | the messages it was sent, as JSON |
| `say` | what follows `!say ` in the last message |
| `no-usage`, `empty` | an answer whose tokens nobody counted; an answer without words |
| `fault-429`, `fault-500`, `fault-NNN` | that status and OpenAI's error body; 429 and 503 with `Retry-After: 1` |
| `wrong-key`, `redirect` | 401 as for a bad key; 302 to this server's own `/_internal` |
| `garbage` | a stream whose lines are no JSON |
| `half-stream`, `half-stream-ended` | 5 of 10 tokens, then a broken connection; or an orderly end with no finish |
| `hang-before-headers`, `hang-before-first`, `hang-mid-stream` | silence at that point, until the client leaves |
| any of them + `-once` | the first time a last message is seen; from then on the same message is answered by `stub` |
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any, Literal

End = Literal["finish", "break", "end", "hang"]

MODELS = (
    "stub", "stub-50x20", "slow", "echo", "say", "no-usage", "empty", "fault-429", "fault-500", "wrong-key", "redirect",
    "garbage", "half-stream", "half-stream-ended", "hang-before-headers", "hang-before-first", "hang-mid-stream",
)  # fmt: skip
_GO_ON = "Your reply above was cut off"
_STAMPED = re.compile(r"stub-(\d{1,5})x(\d{1,5})\Z")
_FAULT = re.compile(r"fault-([45]\d\d)\Z")
_DIRECTIVE = re.compile(r"(?:^|\s)!([a-z0-9-]+)(?: ([^\n]*))?")
_ERRORS = {
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    404: ("invalid_request_error", "model_not_found", "The model does not exist or you do not have access to it."),
    429: ("requests", "rate_limit_exceeded", "Rate limit reached for requests."),
}
_OUR_FAULT = ("server_error", "server_error", "The server had an error processing your request.")


@dataclass(frozen=True, slots=True)
class Answer:
    """A plan for one response.

    Args:
        name: the behaviour that was asked for.
        pieces: the tokens; None: `count` stamped ones.
        pause: seconds before each token.
        end: how the stream ends after the last token.
        status: anything but 200 is answered with an error body, or a redirect.
        has_usage: whether tokens are counted where the client asks for it.
    """

    name: str
    pieces: tuple[str, ...] | None = None
    count: int = 0
    pause: float = 0.0
    end: End = "finish"
    status: int = 200
    has_usage: bool = True
    is_garbage: bool = False
    hangs_first: bool = False

    def __len__(self) -> int:
        return self.count if self.pieces is None else len(self.pieces)


def text_of(content: Any) -> str:
    """The words of a message, whose content is text or a list of parts."""
    if isinstance(content, list):
        return "\n".join(part.get("text", "") for part in content if isinstance(part, dict))
    return str(content or "")


def last_said(messages: list[dict[str, Any]]) -> str:
    """The last message of the contact's; being asked to go on with an answer is none."""
    said = (text_of(message.get("content")) for message in reversed(messages) if message.get("role") == "user")
    return next((text for text in said if not text.startswith(_GO_ON)), "")


def answer_for(model: str, messages: list[dict[str, Any]], seen: set[tuple[str, str]]) -> Answer:
    """The plan for a request.

    Args:
        seen: what `-once` behaviours have met already; added to.
    """
    said = last_said(messages)
    directive = _DIRECTIVE.search(said)
    name, words = (directive[1], directive[2] or "") if directive else (model, said)
    if name.endswith("-once"):
        base = name.removesuffix("-once")
        known = (name, said) in seen
        seen.add((name, said))
        return replace(_plan("stub" if known else base, words, messages), name=name)
    return _plan(name, words, messages)


def _plan(name: str, words: str, messages: list[dict[str, Any]]) -> Answer:
    if match := _STAMPED.match(name):
        return Answer(name, count=int(match[1]), pause=int(match[2]) / 1000)
    if match := _FAULT.match(name):
        return Answer(name, status=int(match[1]))
    match name:
        case "stub":
            return Answer(name, count=5)
        case "slow":
            return Answer(name, count=10, pause=0.3)
        case "echo":
            return Answer(name, _pieces(json.dumps(messages, ensure_ascii=False)))
        case "say":
            return Answer(name, _pieces(words))
        case "no-usage":
            return Answer(name, count=5, has_usage=False)
        case "empty":
            return Answer(name, ())
        case "wrong-key":
            return Answer(name, status=401)
        case "redirect":
            return Answer(name, status=302)
        case "garbage":
            return Answer(name, is_garbage=True)
        case "half-stream":
            return Answer(name, count=5, pause=0.01, end="break")
        case "half-stream-ended":
            return Answer(name, count=5, pause=0.01, end="end")
        case "hang-before-headers":
            return Answer(name, hangs_first=True)
        case "hang-before-first":
            return Answer(name, (), end="hang")
        case "hang-mid-stream":
            return Answer(name, count=5, pause=0.01, end="hang")
    return Answer(name, status=404)


def _pieces(text: str) -> tuple[str, ...]:
    """A text in pieces of about a token each."""
    return tuple(re.findall(r"\s*\S{1,8}|\s+", text))


def error_body(status: int) -> dict[str, Any]:
    """An error as OpenAI words it."""
    kind, code, text = _ERRORS.get(status, _OUR_FAULT)
    return {"error": {"message": text, "type": kind, "param": None, "code": code}}
