"""Whether an answer stands on the passages it was given."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sized
from dataclasses import dataclass
from typing import Final, Literal

FaultCode = Literal["no_such_passage", "claim_without_citation"]
REFERENCE: Final = re.compile(r"\[(\d{1,3})\]")
_REFERENCES: Final = re.compile(r"(?:\s*\[\d{1,3}\])+")
_PARAGRAPH: Final = re.compile(r"\n+")
_SENTENCE_END: Final = re.compile(
    r"(?<=[.!?\u2026\u3002\uff01\uff1f])[\"'\u201d\u2019\u00bb)*_]*(?:\s+|(?<=[\u3002\uff01\uff1f]))"
)
_WORDS: Final = re.compile(r"[^\W_]+")
_WORDLESS: Final = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]")  # scripts that part no words
_LEAST_WORDS: Final = 4
_LEAST_SIGNS: Final = 8
# Sentences that claim nothing about the world: greetings, offers, and saying that one doesn't know.
_NO_CLAIM: Final = re.compile(
    r"\b(?:"
    r"sorry|unfortunately i|i (?:can['\u2019]?t|cannot|could ?n['\u2019]t|do ?n['\u2019]t|did ?n['\u2019]t|am unable)"
    r"|(?:happy|glad) to help|let me know|please (?:tell|let|contact|ask)|thank you|thanks for|i found nothing"
    r"|you(?:['\u2019]re| are) welcome"
    r"|leider|tut mir leid|kann ich (?:nicht|leider)|wei\u00df ich nicht|gerne? helfe|ich helfe|vielen dank|danke"
    r"|bitte (?:sagen|wenden|geben|teilen)"
    r"|d\u00e9sol\u00e9|malheureusement|je ne (?:peux|sais|trouve|dispose)|merci|n['\u2019]h\u00e9sitez pas|veuillez"
    r"|lo siento|lamentablemente|no (?:puedo|tengo|encuentro|s\u00e9)|gracias|por favor"
    r"|mi dispiace|purtroppo|non (?:posso|ho|trovo|so)|grazie|per favore)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an answer can't be trusted.

    Args:
        code: stable.
        start: where in the answer.
        number: of the passage it points at, where it points at one.
    """

    code: FaultCode
    start: int
    end: int
    number: int | None = None


def grounding(answer: str, passages: Sized, *, require_citations: bool = False) -> list[Fault]:
    """What of an answer doesn't stand on its passages, in order.

    Args:
        passages: those the answer was made from: `[1]` points at the first.
        require_citations: each claim needs a citation: in its own sentence, or in a later one of its paragraph.
    """
    faults = [
        Fault("no_such_passage", match.start(), match.end(), int(match[1]))
        for match in REFERENCE.finditer(answer)
        if not 1 <= int(match[1]) <= len(passages)
    ]
    if require_citations:
        for start, end in _paragraphs(answer):
            begin = start + after_citations(answer[start:end], len(passages))
            faults += [
                Fault("claim_without_citation", begin + first, begin + last)
                for first, last in sentences(answer[begin:end])
                if is_claim(answer[begin + first : begin + last])
            ]
    return sorted(faults, key=lambda fault: fault.start)


def after_citations(paragraph: str, passages: int) -> int:
    """Where what a paragraph's citations support ends: after the last that points at a passage."""
    ends = [match.end() for match in REFERENCE.finditer(paragraph) if 1 <= int(match[1]) <= passages]
    return ends[-1] if ends else 0


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Where each sentence of a paragraph begins and ends."""
    start = 0
    for match in _SENTENCE_END.finditer(text):
        yield start, match.start()
        start = match.end()
    if text[start:].strip():
        yield start, len(text)


def is_claim(sentence: str) -> bool:
    """Whether a sentence says something about the world that could be wrong."""
    plain = _REFERENCES.sub("", sentence).strip()
    if plain.endswith(("?", "\uff1f", ":")) or plain.startswith("#") or _NO_CLAIM.search(plain):
        return False
    if _WORDLESS.search(plain):
        return len(plain) >= _LEAST_SIGNS
    return len(_WORDS.findall(plain)) >= _LEAST_WORDS


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for match in _PARAGRAPH.finditer(text):
        yield start, match.start()
        start = match.end()
    yield start, len(text)
