"""`make bench-ears`: how often the built-in ears hear an expected question as it was put, and what that costs.

espeak-ng says each key term of the demo companies in several voices, again and again: its pitch sways from text to
text, so that no two sayings sound the same, though each run says them in one order. Then come sentences that nobody
expects, which must not be heard as expected ones, and some for the ears without key terms. Each is heard by a process
of its own, as a stream is. Exit code 1 where a sentence about something else was heard as an expected question.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from bench.measure import table
from voice_worker.speech_server.espeak import Espeak
from voice_worker.speech_server.hearing import Ear
from voice_worker.speech_server.order import RATE, ListenOrder
from voice_worker.speech_server.recognizer import Recognizer
from voice_worker.speech_server.resampling import Resampler

VOICES: Final = ("en-us", "en-gb", "en-us+f3")
_PIECE: Final = RATE * 2 // 50  # bytes of a fiftieth of a second
_QUESTION: Final = 3  # words that an expected phrase has at least, for its being heard to be an answer to somebody

# What no demo company expects: about something else, or begun as an expected question and ended otherwise, which ears
# that know little else can hardly tell.
OTHER: Final = (
    "good morning how can I help you today",
    "the weather was lovely when we walked along the beach",
    "my brother is going to call you back after lunch",
    "I think we should leave before the traffic gets worse",
    "please send the invoice to our accounting department",
    "have you ever been to the mountains in winter",
    "she bought three bottles of milk and some bread",
    "could you tell me who won the football match",
    "he said that nobody had seen the letter",
    "turn left at the church and go straight on",
    "we were wondering whether you sell birthday cakes",
    "let me just look for my glasses",
    "hold on a moment somebody is at the door",
    "are there any trains to the airport this evening",
    "what happened to the old bridge over the river",
    "sorry I was talking to my wife",
)
NEAR: Final = (
    "When is the pool cleaned?",
    "Can I bring my grandmother?",
    "Where do I find a doctor?",
    "How much is a bottle of wine?",
    "What is on the menu?",
    "Do you have a hairdryer?",
    "I would like to complain about the noise",
    "When does the museum open?",
)
FREE: Final = (
    "good morning how can I help you today",
    "thank you very much goodbye",
    "please cancel my reservation",
    "what time is breakfast",
    "where is the swimming pool",
    "I would like to book a table for two",
    "the weather was lovely when we walked along the beach",
    "can I pay with a credit card",
)


@dataclass(slots=True)
class Tally:
    """What came of a number of sayings."""

    sayings: int = 0
    exact: int = 0
    leading: int = 0  # with every word right, and perhaps more after them
    words: int = 0
    wrong: int = 0
    expected: int = 0  # heard as an expected question that was not put
    silent: int = 0
    cpu: float = 0.0
    sound: float = 0.0
    misheard: dict[tuple[str, str], int] = field(default_factory=dict)


def main() -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.ears", description=__doc__)
    parser.add_argument("--sayings", type=int, default=3, help="of each sentence in each voice")
    parser.add_argument("--voices", nargs="+", default=VOICES)
    parser.add_argument("--show", action="store_true", help="print what was misheard")
    parser.add_argument("--without-free", action="store_true", help="leave out the ears without key terms")
    asked = parser.parse_args()

    recognizer, said = Recognizer(), Sayings(asked.voices, asked.sayings)
    rows, false, misheard = [], 0, {}
    for name, terms, sentences in _tables(with_free=not asked.without_free):
        for voice in asked.voices:
            tally = measure(recognizer, terms, said.of(sentences, voice))
            rows.append((f"{name}, {voice}", *_cells(tally)))
            false += tally.expected if "other" in name else 0
            misheard.update({(name, voice, *pair): count for pair, count in tally.misheard.items()})
    head = ("", "sayings", "exact", "leading words", "wrong words", "heard as expected", "nothing heard", "CPU/sound")
    print(table(head, rows))
    if asked.show:
        for key, count in sorted(misheard.items()):
            print(count, *key, sep=" | ")
    return 1 if false else 0


def _tables(*, with_free: bool) -> Iterator[tuple[str, list[str], Sequence[str]]]:
    from switchboard.demo.companies import load_companies

    for company in load_companies():
        terms = [*company.agent.suggested_questions, *company.agent.key_terms]
        yield f"{company.slug}: expected", terms, terms
        yield f"{company.slug}: near", terms, NEAR
        yield f"{company.slug}: other", terms, OTHER
    if with_free:
        yield "no key terms", [], FREE


class Sayings:
    """Sentences as espeak-ng says them in turn, in one process, so that each saying is a little different."""

    def __init__(self, voices: Sequence[str], count: int) -> None:
        self._espeak, self._voices, self._count = Espeak(), voices, count

    def of(self, sentences: Sequence[str], voice: str) -> Iterator[tuple[str, bytes]]:
        """Each sentence, as often as wanted: PCM16 of 16 kHz, with nothing around it."""
        for _ in range(self._count):
            for sentence in sentences:
                resampler = Resampler(self._espeak.rate, RATE)
                yield sentence, resampler.feed(self._espeak.speak(sentence, voice=voice)) + resampler.flush()


def measure(recognizer: Recognizer, terms: list[str], sayings: Iterator[tuple[str, bytes]]) -> Tally:
    """Let each saying be heard with these key terms."""
    tally = Tally()
    phrases = {words for words in map(_words, terms) if len(words) >= _QUESTION}
    for sentence, pcm in sayings:
        text, cpu = _in_child(recognizer, terms, bytes(RATE) + pcm + bytes(RATE * 6 // 5))
        wanted, heard = _words(sentence), _words(text)
        tally.sayings += 1
        tally.exact += heard == wanted
        tally.leading += heard[: len(wanted)] == wanted
        tally.words += len(wanted)
        tally.wrong += _edits(wanted, heard)
        tally.expected += wanted != heard and _contains(heard, phrases - {wanted})
        tally.silent += not heard
        tally.cpu += cpu
        tally.sound += len(pcm) / 2 / RATE
        if heard != wanted:
            tally.misheard[sentence, text] = tally.misheard.get((sentence, text), 0) + 1
    return tally


def _in_child(recognizer: Recognizer, terms: list[str], pcm: bytes) -> tuple[str, float]:
    """What is heard, and the processor's time that hearing it took, in a process that has heard nothing before."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            order = ListenOrder(interim_results=True, vad_events=True, endpointing_ms=25, keyterms=terms)
            ear = Ear(recognizer, order)
            begun = time.process_time()
            messages = [message for at in range(0, len(pcm), _PIECE) for message in ear.feed(pcm[at : at + _PIECE])]
            messages += ear.close()
            cpu = time.process_time() - begun
            finals = [one["channel"]["alternatives"][0]["transcript"] for one in messages if one.get("is_final")]
            os.write(writing, json.dumps([" ".join(filter(None, finals)), cpu]).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    if not answer:
        raise RuntimeError("a child that listened was lost")
    text, cpu = json.loads(answer)
    return text, cpu


def _cells(tally: Tally) -> tuple[str, ...]:
    def share(part: float, whole: float) -> str:
        return f"{part / whole:.0%}" if whole else "-"

    return (
        str(tally.sayings),
        share(tally.exact, tally.sayings),
        share(tally.leading, tally.sayings),
        share(tally.wrong, tally.words),
        str(tally.expected),
        str(tally.silent),
        f"{tally.cpu / tally.sound:.3f}",
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[^\W_]+(?:'[^\W_]+)*", text.lower()))


def _contains(heard: tuple[str, ...], phrases: set[tuple[str, ...]]) -> bool:
    return any(heard[at : at + len(phrase)] == phrase for phrase in phrases for at in range(len(heard)))


def _edits(wanted: tuple[str, ...], heard: tuple[str, ...]) -> int:
    """Words to put in, take out or change, to get the one from the other."""
    row = list(range(len(heard) + 1))
    for at, word in enumerate(wanted, start=1):
        last, row[0] = row[0], at
        for other, candidate in enumerate(heard, start=1):
            last, row[other] = row[other], min(row[other] + 1, row[other - 1] + 1, last + (word != candidate))
    return row[-1]


if __name__ == "__main__":
    raise SystemExit(main())
