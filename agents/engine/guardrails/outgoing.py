"""What an agent says, on its way to the contact: links, personal data, citations, topics and length, in this order.

Each stage reads a stream and holds back as little as it must: mostly nothing, at most a word or two, or with
`require_citations` what no citation supports yet. What is shown never depends on how a model cuts its answer into
pieces.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Protocol

from agents.content.runtime import SafetyPolicy
from agents.engine.guardrails.discretion import StretchWatch, instructions_of
from agents.engine.guardrails.grounding import after_citations, is_claim, sentences
from agents.engine.guardrails.hosts import LinkPolicy
from agents.engine.guardrails.links import LinkDefuser
from agents.engine.guardrails.redaction import Redactor, personal_keys
from agents.engine.guardrails.topics import LONGEST_WORD, WORD, TopicWatch, topics_of
from agents.engine.guardrails.verdicts import Verdict, told

_SENTENCE_END: Final = re.compile(r"[.!?\u2026][\"'\u201d\u2019\u00bb)*_]*(?=\s)|[\u3002\uff01\uff1f]")
_LAST_STRETCH: Final = 200  # characters before the limit in which an answer ends at a sentence, if it must


class _Stage(Protocol):
    """A reader of a stream."""

    def feed(self, piece: str) -> str: ...
    def finish(self) -> str: ...


class OutputGuard:
    """Takes an answer in pieces and gives back what may be shown.

    Args:
        passages: the texts that the answer was made from, `[1]` first. Personal data that stands in them is the
            company's to publish, such as its own phone number.
        links: where the answer may lead; None: anywhere.
        language: the contact's, for what they are told where an answer is ended.
        prompt: the agent's instructions, which aren't read out.
    """

    def __init__(
        self,
        policy: SafetyPolicy,
        *,
        passages: Sequence[str] = (),
        links: LinkPolicy | None = None,
        language: str = "en",
        prompt: str = "",
    ) -> None:
        self._links = LinkDefuser(links) if links else None
        self._redactor = Redactor(personal_keys(passages)) if policy.redact_personal_data else None
        self._language = language
        self._length = _Length(policy.longest_answer_characters)
        self._judges: list[_Judge] = [
            *([_Discreet(prompt)] if prompt else []),
            *([_Cited(len(passages))] if policy.require_citations else []),
            *([_OnTopic(policy.blocked_topics)] if policy.blocked_topics else []),
            self._length,
        ]
        self._stages: list[_Stage] = [stage for stage in (self._links, self._redactor) if stage] + [*self._judges]
        self.verdict: Verdict | None = None
        """Why the answer was ended before its end; None where it wasn't. Nothing is shown after it."""

    def feed(self, piece: str) -> str:
        """What may be shown now."""
        return self._pass(piece, 0)

    def finish(self) -> str:
        """What was held back, at the end of the answer."""
        shown = ""
        for number, stage in enumerate(self._stages):
            if self.verdict is not None:
                break
            rest = stage.finish()
            if isinstance(stage, _Judge) and stage.verdict is not None:
                return shown + self._end(stage, rest)
            shown += self._pass(rest, number + 1)
        return shown

    @property
    def taken_out(self) -> dict[str, list[str]]:
        """What was taken out, for a trace: kinds of personal data, and hosts of links."""
        kinds: list[str] = sorted(self._redactor.kinds) if self._redactor else []
        hosts = sorted(self._links.hosts) if self._links else []
        return {name: found for name, found in (("personal_data", kinds), ("links", hosts)) if found}

    def _pass(self, text: str, first: int) -> str:
        if self.verdict is not None:
            return ""
        for number in range(first, len(self._stages)):
            stage = self._stages[number]
            text = stage.feed(text)
            if isinstance(stage, _Judge) and stage.verdict is not None:
                return self._end(stage, text)
        return text

    def _end(self, stage: _Judge, text: str) -> str:
        """The last words: what the later stages say of what may be shown, and why there is no more."""
        last = stage
        for later in self._judges[self._judges.index(stage) + 1 :]:
            text = later.feed(text)
            text += later.finish()
            # What a later stage finds lies before what this one has found.
            last = later if later.verdict else last
        assert last.verdict is not None
        self.verdict = self._verdict_of(last.verdict)
        if not self.verdict.text:
            return text
        return f"{text}\n\n{self.verdict.text}" if self._length.shown else self.verdict.text

    def _verdict_of(self, verdict: Verdict) -> Verdict:
        return Verdict(verdict.allowed, verdict.code, verdict.reason, told(verdict.code, self._language))


class _Cited:
    """Holds back what no citation supports yet, paragraph by paragraph."""

    def __init__(self, passages: int) -> None:
        self._passages = passages
        self._held = ""
        self.verdict: Verdict | None = None

    def feed(self, piece: str) -> str:
        self._held += piece
        shown: list[str] = []
        while self.verdict is None and (end := self._held.find("\n")) >= 0:
            shown.append(self._paragraph(end + 1))
        if self.verdict is None:
            supported = after_citations(self._held, self._passages)
            shown.append(self._held[:supported])
            self._held = self._held[supported:]
        return "".join(shown)

    def finish(self) -> str:
        return self._paragraph(len(self._held)) if self.verdict is None else ""

    def _paragraph(self, end: int) -> str:
        paragraph, self._held = self._held[:end], self._held[end:]
        supported = after_citations(paragraph, self._passages)
        rest = paragraph[supported:]
        if any(is_claim(rest[start:stop]) for start, stop in sentences(rest)):
            self.verdict = Verdict(False, "claim_without_citation", "The answer claimed something without a citation.")
            return paragraph[:supported]
        return paragraph


class _Discreet:
    """Ends an answer that reads the agent's instructions out."""

    def __init__(self, prompt: str) -> None:
        self._watch = StretchWatch(instructions_of(prompt))
        self._text = ""  # what isn't both read and shown
        self._read_until = 0
        self._shown_until = 0
        self.verdict: Verdict | None = None

    def feed(self, piece: str) -> str:
        self._text += piece
        return self._read(is_end=False)

    def finish(self) -> str:
        return self._read(is_end=True)

    def _read(self, *, is_end: bool) -> str:
        text, clear_until = self._text, self._shown_until
        for match in WORD.finditer(text, self._read_until):
            if match.end() == len(text) and len(match[0]) < LONGEST_WORD and not is_end:
                # A word needn't be whole to be shown where no word could make the answer a suspicious one.
                if not self._watch.is_near_suspicion:
                    clear_until = len(text)
                break
            was_clear = not self._watch.is_suspicious
            stretch = self._watch.next(match[0])
            if was_clear:
                clear_until = max(clear_until, match.start())
            if self._watch.is_too_long(stretch):
                self.verdict = Verdict(False, "instructions_asked_for", "The answer read the agent's instructions out.")
                return text[self._shown_until : clear_until]
            self._read_until = match.end()
            if not self._watch.is_suspicious:
                clear_until = max(clear_until, match.end())
        else:
            self._read_until = len(text)
            if is_end or not self._watch.is_suspicious:
                clear_until = len(text)
        shown = text[self._shown_until : clear_until]
        done = min(self._read_until, clear_until)
        self._text, self._read_until, self._shown_until = text[done:], self._read_until - done, clear_until - done
        return shown


class _OnTopic:
    """Ends an answer at the word that makes it one about a blocked topic."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._watch = TopicWatch(topics_of(names))
        self._held = ""
        self.verdict: Verdict | None = None

    def feed(self, piece: str) -> str:
        self._held += piece
        return self._read(is_end=False)

    def finish(self) -> str:
        return self._read(is_end=True)

    def _read(self, *, is_end: bool) -> str:
        text, place = self._held, 0
        for match in WORD.finditer(text):
            if match.end() == len(text) and len(match[0]) < LONGEST_WORD and not is_end:
                break
            if topic := self._watch.next(match[0]):
                self.verdict = Verdict(
                    False, "answer_topic_blocked", f"The answer came to a blocked topic: {topic.name}."
                )
                self._held = ""
                return text[: match.start()]
            place = match.end()
        else:
            place = len(text)
        self._held = text[place:]
        return text[:place]


class _Length:
    """Ends an answer that is too long: at a sentence's end if one is near, else at a word's."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._free = longest - min(_LAST_STRETCH, longest // 4)
        self._held = ""
        self.shown = 0
        """Characters so far."""
        self.verdict: Verdict | None = None

    def feed(self, piece: str) -> str:
        self._held += piece
        if self.shown + len(self._held) > self._longest:
            self.verdict = Verdict(True, "answer_cut", f"The answer had more than {self._longest:,} characters.")
            return self._cut()
        return self._show(max(self._sentences_end(), min(self._free - self.shown, len(self._held)), 0))

    def finish(self) -> str:
        return self._show(len(self._held)) if self.verdict is None else ""

    def _sentences_end(self) -> int:
        """Where in what is held the last sentence ends that may be shown whatever follows; 0 where none does."""
        room = self._longest - self.shown
        matches = _SENTENCE_END.finditer(self._held, max(0, self._free - self.shown))
        return max((match.end() for match in matches if match.end() <= room), default=0)

    def _cut(self) -> str:
        if end := self._sentences_end():
            return self._show(end)
        if self.shown > self._free:  # what was shown of the last stretch are whole sentences
            return ""
        room = self._longest - self.shown - 1
        word = self._held.rfind(" ", max(0, self._free - self.shown), room + 1)
        return self._show(word if word >= 0 else room) + "\u2026"

    def _show(self, count: int) -> str:
        shown, self._held = self._held[:count], self._held[count:]
        self.shown += len(shown)
        return shown


_Judge = _Discreet | _Cited | _OnTopic | _Length
