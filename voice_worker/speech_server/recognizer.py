"""pocketsphinx with its American English model: sound in, words out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pocketsphinx

from voice_worker.speech_server.grammar import grammar_of, spellings

# The second pass over an utterance would hold up each answer by 0.1 to 0.3 s, and finds no more words here. With 3,000
# states and 10 words a frame at most an utterance costs a fifth of its length, and no more of it is misheard.
_SETTINGS = {"fwdflat": False, "maxhmmpf": 3_000, "maxwpf": 10, "loglevel": "FATAL"}
_VARIANT = re.compile(r"\(\d+\)$")  # of a pronunciation: `read(2)`
_NO_WORD = re.compile(r"^(?:<.*>|\[.*\]|\+\+.*\+\+|\(NULL\))$")


@dataclass(frozen=True, slots=True)
class Word:
    """A word and where it was heard: seconds from the utterance's beginning; confidence from 0 to 1."""

    text: str
    start: float
    end: float
    confidence: float


class Recognizer:
    """A decoder with its models, which take half a second to load and 100 MB to hold."""

    def __init__(self) -> None:
        self._decoder = pocketsphinx.Decoder(**_SETTINGS)
        self._spellings: dict[str, str] = {}

    def narrow(self, terms: Sequence[str]) -> None:
        """Hear nothing but the words of these terms, if any of them is known."""
        grammar = grammar_of(terms, known=self._decoder.lookup_word)
        if grammar is None:
            return
        # The best path through all that a grammar of twenty terms may have heard takes ten seconds to find, and what it
        # finds is worse than what was heard on the way.
        self._decoder.config["bestpath"] = False
        self._decoder.add_jsgf_string("terms", grammar)
        self._decoder.activate_search("terms")
        self._spellings = spellings(terms)

    def begin(self) -> None:
        """An utterance begins."""
        self._decoder.start_utt()

    def hear(self, pcm: bytes) -> None:
        """More of the utterance: PCM16, mono, 16 kHz."""
        self._decoder.process_raw(pcm, False, False)

    def so_far(self) -> list[Word]:
        """What the utterance seems to be."""
        if self._decoder.hyp() is None:
            return []
        exp = self._decoder.get_logmath().exp
        rate = self._decoder.config["frate"]
        words = []
        for segment in self._decoder.seg():
            if _NO_WORD.match(segment.word):
                continue
            text = _VARIANT.sub("", segment.word)
            times = (segment.start_frame / rate, (segment.end_frame + 1) / rate)
            confidence = min(1.0, max(0.0, exp(segment.prob)))
            words.append(Word(self._spellings.get(text, text), *times, round(confidence, 3)))
        return words

    def end(self) -> list[Word]:
        """The utterance is over; what it was."""
        self._decoder.end_utt()
        return self.so_far()
