"""What the stub model answers, decided by a name: the request's model, or a `!name` in the last message, which wins.

| name | behaviour |
| --- | --- |
| `stub-50x20` | 50 tokens, 20 ms apart, each ` <number>@<monotonic microseconds when it was sent>` |
| `stub`, `slow` | 5 tokens at once; 10 tokens 300 ms apart |
| `echo` | the messages it was sent, as JSON |
| `canaries` | every word like `canary-…` among the messages it was sent |
| `say`, `say-20ms` | what follows `!say ` in the last message; a piece of it each 20 ms |
| `sees` | what it was shown: `1. <label>` and so on, each on a line; else `I see nothing.` |
| `gpt-4.1-mini` | as `sees`, under a name that has a price; where it is shown nothing: `Breakfast is at seven.` |
| `blind` | 400 where it is shown a picture, else as `say` |
| `say-first` | the first message of the contact's |
| `half-say`, `half-say-ended`, `hang-mid-say` | half of the last message, then as below |
| `goes-on`, `repeats-last-word` | what is left to say where another broke off; the second from the last word again |
| `call` | calls tools: `!call name {"its": "arguments"} & name {}` |
| `obedient` | does what any text before it orders (obedient.py) |
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
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from tests.model_server.obedient import obey

End = Literal["finish", "break", "end", "hang"]

MODELS = (
    "stub", "stub-50x20", "slow", "echo", "canaries", "say", "no-usage", "empty", "fault-429", "fault-500", "wrong-key",
    "redirect", "garbage", "half-stream", "half-stream-ended", "call", "obedient", "hang-before-headers",
    "hang-before-first", "hang-mid-stream",
)  # fmt: skip
_GO_ON = "Your reply above was cut off"
_STAMPED = re.compile(r"stub-(\d{1,5})x(\d{1,5})\Z")
_CANARY = re.compile(r"canary-[0-9a-f]+")
_PACED = re.compile(r"say-(\d{1,5})ms\Z")
_FAULT = re.compile(r"fault-([45]\d\d)\Z")
_DIRECTIVE = re.compile(r"(?:^|\s)!([a-z0-9-]+)(?: ([^\n]*))?")
_CALL = re.compile(r"\s*([A-Za-z0-9_.-]+) ?(.*?)\s*\Z", re.DOTALL)
# Those that tell what they are shown, and what they say where that is nothing.
_SEEING = {"sees": "I see nothing.", "gpt-4.1-mini": "Breakfast is at seven."}
# What a model that breaks off once answers from then on; the others answer `stub`.
_AFTERWARDS = {"half-say": "goes-on", "hang-mid-say": "goes-on"}
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
        calls: tools to call after the words, with their arguments as text.
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
    calls: tuple[tuple[str, str], ...] = ()

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


def answer_for(
    model: str,
    messages: list[dict[str, Any]],
    seen: set[tuple[str, str]],
    tools: list[dict[str, Any]],
    labels: Sequence[str] = (),
) -> Answer:
    """The plan for a request.

    Args:
        seen: what `-once` behaviours have met already; added to.
        tools: those that it is offered.
        labels: of the pictures that it is shown.
    """
    said = last_said(messages)
    directive = _DIRECTIVE.search(said)
    name, words = (directive[1], directive[2] or "") if directive else (model, said)
    if name in _SEEING:
        told = "\n".join(f"{number}. {label}" for number, label in enumerate(labels, start=1))
        return Answer(name, _pieces(told or _SEEING[name]))
    if name == "blind":
        return Answer(name, status=400) if labels else Answer(name, _pieces(words))
    if name.endswith("-once"):
        base = name.removesuffix("-once")
        known = (name, said) in seen
        seen.add((name, said))
        return replace(_plan(_AFTERWARDS.get(base, "stub") if known else base, words, messages, tools), name=name)
    return _plan(name, words, messages, tools)


def _plan(name: str, words: str, messages: list[dict[str, Any]], tools: list[dict[str, Any]]) -> Answer:
    if match := _STAMPED.match(name):
        return Answer(name, count=int(match[1]), pause=int(match[2]) / 1000)
    if match := _PACED.match(name):
        return Answer(name, _pieces(words), pause=int(match[1]) / 1000)
    if match := _FAULT.match(name):
        return Answer(name, status=int(match[1]))
    match name:
        case "stub":
            return Answer(name, count=5)
        case "slow":
            return Answer(name, count=10, pause=0.3)
        case "echo":
            return Answer(name, _pieces(json.dumps(messages, ensure_ascii=False)))
        case "canaries":
            return Answer(name, _pieces(" ".join(_CANARY.findall(json.dumps(messages)))))
        case "say":
            return Answer(name, _pieces(words))
        case "say-first":
            return Answer(name, _pieces(text_of(next(one for one in messages if one["role"] == "user")["content"])))
        case "half-say" | "half-say-ended" | "hang-mid-say":
            end: End = {"half-say": "break", "half-say-ended": "end"}.get(name, "hang")  # type: ignore[assignment]
            pieces = _pieces(words)
            return Answer(name, pieces[: max(1, len(pieces) // 2)], pause=0.01, end=end)
        case "goes-on" | "repeats-last-word":
            return Answer(name, _pieces(_rest(words, messages, repeats=name != "goes-on")))
        case "call":
            calls = [_CALL.match(call) for call in words.split(" & ")]
            return Answer(name, (), calls=tuple((call[1], call[2]) for call in calls if call))
        case "obedient":
            said, ordered = obey(messages, tools)
            return Answer(name, _pieces(said), calls=ordered)
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


def _rest(words: str, messages: list[dict[str, Any]], *, repeats: bool) -> str:
    """What is left to say of some words where an answer broke off in the middle of them."""
    if not text_of(messages[-1].get("content")).startswith(_GO_ON):
        return words
    shown = text_of(messages[-2].get("content"))
    begin = shown.rstrip().rfind(" ") + 1 if repeats else len(shown)
    return words[begin:]


def _pieces(text: str) -> tuple[str, ...]:
    """A text in pieces of about a token each."""
    return tuple(re.findall(r"\s*\S{1,8}|\s+", text))


def error_body(status: int) -> dict[str, Any]:
    """An error as OpenAI words it."""
    kind, code, text = _ERRORS.get(status, _OUR_FAULT)
    return {"error": {"message": text, "type": kind, "param": None, "code": code}}
