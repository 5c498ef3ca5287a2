"""pocketsphinx with its American English model: sound in, words out."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

import pocketsphinx

from voice_worker.speech_server.grammar import alike, grammar_of, parts_of, spellings, whole_grammar_of

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
    """A decoder with its models, which take half a second to load and 100 MB to hold, and a lesser one beside it.

    Key terms are heard twice at once: as their words in any order, and as one of them from beginning to end. The second
    is right nearly always when one of them was said, and wrong always when not; so the first has to bear it out.
    """

    def __init__(self) -> None:
        self._decoder = pocketsphinx.Decoder(**_SETTINGS)
        # It gets the words it needs from the other's dictionary, and has no language model.
        self._whole = pocketsphinx.Decoder(**_SETTINGS, bestpath=False, lm=None, dict=os.devnull)
        self._wholes = False
        self._spellings: dict[str, str] = {}

    def narrow(self, terms: Sequence[str]) -> None:
        """Hear nothing but the words of these terms, if any of them is known."""
        self._spellings = spellings(terms)
        for word in self._spellings:
            self._put_together(word)
        grammar = grammar_of(terms, known=self._decoder.lookup_word)
        if grammar is None:
            return
        # The best path through all that a grammar of twenty terms may have heard takes ten seconds to find, and what it
        # finds is worse than what was heard on the way.
        self._decoder.config["bestpath"] = False
        self._decoder.add_jsgf_string("terms", grammar)
        self._decoder.activate_search("terms")
        whole = whole_grammar_of(terms, known=self._decoder.lookup_word)
        if whole is not None:
            for word in self._spellings:
                self._lend(word)
            self._whole.add_jsgf_string("wholes", whole)
            self._whole.activate_search("wholes")
            self._wholes = True

    def begin(self) -> None:
        """An utterance begins."""
        for decoder in self._decoders():
            decoder.start_utt()

    def hear(self, pcm: bytes) -> None:
        """More of the utterance: PCM16, mono, 16 kHz."""
        for decoder in self._decoders():
            decoder.process_raw(pcm, False, False)

    def so_far(self) -> list[Word]:
        """What the utterance seems to be."""
        words = self._words(self._decoder)
        if words and self._wholes:
            expected = self._words(self._whole)
            if expected and alike(self._sounds(expected), self._sounds(words)):
                return expected
        return words

    def end(self) -> list[Word]:
        """The utterance is over; what it was."""
        for decoder in self._decoders():
            decoder.end_utt()
        return self.so_far()

    def _decoders(self) -> list[pocketsphinx.Decoder]:
        return [self._decoder, self._whole] if self._wholes else [self._decoder]

    def _words(self, decoder: pocketsphinx.Decoder) -> list[Word]:
        if decoder.hyp() is None:
            return []
        exp = decoder.get_logmath().exp
        rate = decoder.config["frate"]
        words = []
        for segment in decoder.seg():
            if _NO_WORD.match(segment.word):
                continue
            text = _VARIANT.sub("", segment.word)
            times = (segment.start_frame / rate, (segment.end_frame + 1) / rate)
            confidence = min(1.0, max(0.0, exp(segment.prob)))
            words.append(Word(self._spellings.get(text, text), *times, round(confidence, 3)))
        return words

    def _sounds(self, words: Sequence[Word]) -> list[str]:
        """The phonemes of some words, each in its first pronunciation."""
        return " ".join(self._decoder.lookup_word(word.text.lower()) or "" for word in words).split()

    def _put_together(self, word: str) -> None:
        """Let a word that the dictionary lacks be spoken as others that it has, one after the other."""
        known = self._decoder.lookup_word
        if known(word) is None and (parts := parts_of(word, known=known)):
            self._decoder.add_word(word, " ".join(known(part) for part in parts), False)

    def _lend(self, word: str) -> None:
        """Give the lesser decoder a word with all its pronunciations."""
        spoken, number = self._decoder.lookup_word(word), 1
        while spoken is not None:
            name = word if number == 1 else f"{word}({number})"
            if self._whole.lookup_word(name) is None:
                self._whole.add_word(name, spoken, False)
            number += 1
            spoken = self._decoder.lookup_word(f"{word}({number})")
