"""Whether an answer is what was expected: a pure judgement over the events of a turn, made by no model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from agents.content.patterns import is_found
from agents.content.testcase import (
    CallsTool,
    Cites,
    Contains,
    Expectation,
    Judge,
    Matches,
    NotContains,
    RoutesTo,
    in_words,
)
from agents.engine.events import Event

Verdict = Literal["passed", "failed", "skipped", "error"]
_REFERENCE: Final = re.compile(r"\s*\[\d{1,2}\]")
_SPACE: Final = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one expectation.

    Args:
        expected: the expectation in words.
        why: a sentence.
    """

    kind: str
    expected: str
    verdict: Verdict
    why: str

    def as_dict(self) -> dict[str, str]:
        return {"kind": self.kind, "expected": self.expected, "verdict": self.verdict, "why": self.why}


@dataclass(slots=True)
class Heard:
    """What happened in a turn.

    Args:
        error: code and detail of the `error` event, if there was one.
    """

    answer: str = ""
    citations: list[dict[str, Any]] = field(default_factory=list)
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    routes: list[str] = field(default_factory=list)
    error: tuple[str, str] | None = None

    def take(self, event: Event) -> None:
        """Add one event."""
        match event.kind:
            case "delta":
                self.answer += event.data["text"]
            case "citation":
                self.citations.append(event.data)
            case "tool_call":
                self.tool_calls.append({"tool": event.data["tool"], "arguments": event.data["arguments"]})
            case "route":
                self.routes.append(event.data["agent"])
            case "error":
                self.error = (event.data["code"], event.data["detail"])


def hear(happened: Iterable[Event]) -> Heard:
    """A turn's events, taken together."""
    heard = Heard()
    for event in happened:
        heard.take(event)
    return heard


def evaluate(expectation: Expectation, heard: Heard, *, filenames: Mapping[str, str] | None = None) -> Outcome:
    """Judge one expectation.

    Args:
        filenames: of the documents, by id; citations themselves carry id and title.

    Raises:
        ValueError: for a `judge`, which a model answers (`agents.engine.judge`).
    """
    match expectation:
        case Contains(text=text):
            is_met = _says(heard.answer, text)
            return outcome(expectation, is_met, "The answer says so." if is_met else "The answer doesn't say this.")
        case NotContains(text=text):
            is_met = not _says(heard.answer, text)
            return outcome(
                expectation, is_met, "The answer doesn't say this." if is_met else "The answer says it all the same."
            )
        case Matches(pattern=pattern):
            is_met = is_found(pattern, heard.answer) or is_found(pattern, _plain(heard.answer))
            return outcome(expectation, is_met, "The answer matches." if is_met else "The answer doesn't match.")
        case Cites():
            return _cites(expectation, heard.citations, filenames or {})
        case CallsTool():
            return _calls(expectation, heard.tool_calls)
        case RoutesTo(agent=agent):
            is_met = agent in heard.routes
            went = f"It was handed to {_listed(heard.routes)}." if heard.routes else "It was handed to nobody."
            return outcome(expectation, is_met, went)
        case Judge():
            raise ValueError("a judge's expectation is a model's to answer")


def outcome(expectation: Expectation, is_met: bool, why: str) -> Outcome:
    """An expectation that was met, or wasn't."""
    return Outcome(expectation.kind, in_words(expectation), "passed" if is_met else "failed", why)


def skipped(expectation: Expectation, why: str) -> Outcome:
    """An expectation that nobody could judge."""
    return Outcome(expectation.kind, in_words(expectation), "skipped", why)


def _says(answer: str, text: str) -> bool:
    wanted = _folded(text)
    # A reference may stand in the midst of the words: “from 7 to 11 [1] every day”.
    return wanted in _folded(answer) or wanted in _folded(_plain(answer))


def _plain(answer: str) -> str:
    return _REFERENCE.sub("", answer)


def _folded(text: str) -> str:
    return _SPACE.sub(" ", text).strip().casefold()


def _cites(expectation: Cites, citations: Sequence[Mapping[str, Any]], filenames: Mapping[str, str]) -> Outcome:
    if not citations:
        return outcome(expectation, False, "The answer cites nothing.")
    wanted = _folded(expectation.document)
    of_document = [
        cited
        for cited in citations
        if wanted
        in {_folded(name) for name in (cited["title"], cited["document"], filenames.get(cited["document"], ""))}
    ]
    if not of_document:
        titles = dict.fromkeys(str(cited["title"]) for cited in citations)
        return outcome(expectation, False, f"The answer cites {_listed(list(titles))} instead.")
    if expectation.page is None or any(cited["page"] == expectation.page for cited in of_document):
        return outcome(expectation, True, "The answer cites it.")
    pages = sorted({str(cited["page"]) for cited in of_document}, key=int)
    return outcome(expectation, False, f"The answer cites page {_listed(pages)} of it.")


def _calls(expectation: CallsTool, calls: Sequence[Mapping[str, Any]]) -> Outcome:
    if not calls:
        return outcome(expectation, False, "No tool was called.")
    of_tool = [call["arguments"] for call in calls if call["tool"] == expectation.tool]
    if not of_tool:
        names = dict.fromkeys(str(call["tool"]) for call in calls)
        return outcome(expectation, False, f"It called {_listed(list(names))} instead.")
    wanted = expectation.arguments
    if wanted is None:
        return outcome(expectation, True, "It called the tool.")
    fits = _equal if expectation.exact else _covers
    if any(fits(arguments, wanted) for arguments in of_tool):
        return outcome(expectation, True, "It called the tool with these arguments.")
    return outcome(expectation, False, f"It called the tool with other arguments: {_difference(of_tool[-1], wanted)}.")


def _covers(given: Any, wanted: Any) -> bool:
    """Whether all that is wanted is given; objects may hold more, at any depth."""
    if isinstance(wanted, dict):
        return isinstance(given, dict) and all(
            name in given and _covers(given[name], value) for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(given, list)
            and len(given) == len(wanted)
            and all(_covers(one, other) for one, other in zip(given, wanted, strict=True))
        )
    return _equal(given, wanted)


def _equal(given: Any, wanted: Any) -> bool:
    """Equal as JSON is: 1 and 1.0 are the same number, and true is no number."""
    if isinstance(given, bool) or isinstance(wanted, bool):
        return given is wanted
    if isinstance(given, dict) and isinstance(wanted, dict):
        return given.keys() == wanted.keys() and all(_equal(given[name], wanted[name]) for name in given)
    if isinstance(given, list) and isinstance(wanted, list):
        return len(given) == len(wanted) and all(_equal(one, other) for one, other in zip(given, wanted, strict=True))
    return bool(given == wanted)


def _difference(given: Any, wanted: Mapping[str, Any]) -> str:
    if not isinstance(given, dict):
        return "they are no object"
    missing = [name for name in wanted if name not in given]
    if missing:
        return f"{_listed(missing)} missing"
    other = [name for name, value in wanted.items() if not _covers(given[name], value)]
    if other:
        return f"{_listed(other)} different"
    return f"{_listed([str(name) for name in given if name not in wanted]) or 'something'} besides"


def _listed(names: Sequence[str]) -> str:
    shown = [str(name)[:120] for name in names[:4]]
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return ", ".join(shown) + more
