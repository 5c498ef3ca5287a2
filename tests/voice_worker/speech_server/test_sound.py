"""Rates, loudness, where speech begins and ends, and the grammar of key terms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.voice_worker.speech import silence, spoken
from voice_worker.speech_server.grammar import alike, grammar_of, parts_of, spellings, whole_grammar_of
from voice_worker.speech_server.hearing import Ear
from voice_worker.speech_server.levelling import Levelling, loudness
from voice_worker.speech_server.order import ListenOrder
from voice_worker.speech_server.resampling import Resampler


def _tone(hertz: float, rate: int, seconds: float = 0.5) -> bytes:
    times = np.arange(round(rate * seconds)) / rate
    return (8_000 * np.sin(2 * np.pi * hertz * times)).astype("<i2").tobytes()


@pytest.mark.parametrize(("source", "target"), [(22_050, 24_000), (48_000, 16_000), (8_000, 16_000), (44_100, 16_000)])
def test_a_tone_stays_the_tone_at_another_rate(source: int, target: int) -> None:
    resampler = Resampler(source, target)
    pieces = [_tone(1_000, source)[start : start + 642] for start in range(0, source, 642)]
    heard = np.frombuffer(b"".join(map(resampler.feed, pieces)) + resampler.flush(), "<i2").astype(float)
    expected = np.frombuffer(_tone(1_000, target), "<i2").astype(float)
    assert abs(len(heard) - len(expected)) < target * 0.01
    inner = slice(200, min(len(heard), len(expected)) - 200)
    assert np.abs(heard[inner] - expected[inner]).max() < 80  # 40 dB below it


def test_what_the_lower_rate_cannot_carry_is_cut_away() -> None:
    resampler = Resampler(48_000, 16_000)
    heard = np.frombuffer(resampler.feed(_tone(12_000, 48_000)), "<i2").astype(np.float32)
    assert loudness(heard[200:-200]) < 60


@pytest.mark.parametrize("factor", [0.05, 0.3, 1.0])
def test_speech_is_brought_to_one_loudness(factor: float) -> None:
    samples = np.frombuffer(spoken("thank you very much")[0], "<i2").astype(np.float32) * factor
    levelling = Levelling()
    levels = []
    for start in range(0, len(samples) - 480, 480):
        frame = samples[start : start + 480]
        levelling.learn(frame)
        levels.append(loudness(np.frombuffer(levelling.level(frame), "<i2").astype(np.float32)))
    assert 200 < float(np.median(levels)) < 1_200


class _Recognizer:
    """Stands for the recognizer: keeps what it is given."""

    def __init__(self) -> None:
        self.utterances: list[int] = []

    def narrow(self, terms: list[str]) -> None: ...

    def begin(self) -> None:
        self.utterances.append(0)

    def hear(self, pcm: bytes) -> None:
        self.utterances[-1] += len(pcm)

    def so_far(self) -> list[Any]:
        return []

    def end(self) -> list[Any]:
        return []


def _heard(pcm: bytes, **order: Any) -> tuple[_Recognizer, list[dict[str, Any]]]:
    recognizer = _Recognizer()
    ear = Ear(recognizer, ListenOrder(**order))  # type: ignore[arg-type]
    messages = [message for start in range(0, len(pcm), 3_200) for message in ear.feed(pcm[start : start + 3_200])]
    return recognizer, [*messages, *ear.close()]


def test_only_speech_is_searched() -> None:
    speech, _ = spoken("thank you very much goodbye")
    recognizer, _ = _heard(silence(5) + speech + silence(5))
    assert len(recognizer.utterances) == 1
    assert 0.8 * len(speech) < recognizer.utterances[0] < len(speech) + 32_000 * 0.5


def test_the_end_of_speech_is_noticed_soon() -> None:
    speech, _ = spoken("thank you very much goodbye")
    _, messages = _heard(silence(1) + speech + silence(3))
    final = next(message for message in messages if message["speech_final"])
    end = 1 + len(speech) / 32_000
    assert end + 0.1 < final["start"] + final["duration"] < end + 0.5


def test_a_pause_that_may_be_long_parts_nothing() -> None:
    speech = spoken("thank you very much")[0] + silence(0.8) + spoken("goodbye")[0]
    parted, _ = _heard(silence(0.5) + speech + silence(2))
    whole, _ = _heard(silence(0.5) + speech + silence(2), endpointing_ms=1_500)
    unended, messages = _heard(silence(0.5) + speech + silence(2), endpointing_ms=None)
    assert [len(one.utterances) for one in (parted, whole, unended)] == [2, 1, 1]
    assert sum(message["is_final"] for message in messages) == 1


def test_one_who_never_pauses_is_heard_in_pieces() -> None:
    endless = spoken("thank you very much goodbye")[0].rstrip(b"\0") * 30
    recognizer, messages = _heard(endless, endpointing_ms=None)
    assert len(recognizer.utterances) >= 2
    assert max(recognizer.utterances) <= 32_000 * 21
    finals = [message for message in messages if message["is_final"]]
    assert [final["speech_final"] for final in finals] == [False] * (len(finals) - 1) + [True]


def test_key_terms_are_heard_whole_before_their_words() -> None:
    known = {"sea", "view", "room"}.__contains__
    grammar = grammar_of(["Sea view", "Sea-view room!", "Zbrgh", "room | <x> ; {}"], known=known)
    assert grammar is not None
    assert "/100/ sea view room | /100/ sea view" in grammar or "/100/ sea view | /100/ sea view room" in grammar
    assert grammar.count("/1/") == 3
    assert "zbrgh" not in grammar
    assert "{" not in grammar
    assert grammar_of(["Zbrgh", "", "..."], known=known) is None


def test_words_keep_their_spelling() -> None:
    assert spellings(["O'Brien's Café"]) == {"o'brien's": "O'Brien's", "café": "Café"}


def test_a_whole_term_is_one_whose_words_are_all_known() -> None:
    known = {"sea", "view", "yes"}.__contains__
    grammar = whole_grammar_of(["Sea view", "Zbrgh view", "yes", "sea-view", "..."], known=known)
    assert grammar is not None
    assert grammar.endswith("public <wholes> = sea view | yes ;")
    assert whole_grammar_of(["Zbrgh", ""], known=known) is None


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("0", ["zero"]),
        ("14", ["fourteen"]),
        ("40", ["forty"]),
        ("99", ["ninety", "nine"]),
        ("100", []),
        ("007", []),
        ("weighbridge", ["weigh", "bridge"]),
        ("bridgeqqq", []),
        ("abcdef", []),
        ("", []),
    ],
)
def test_a_word_that_the_dictionary_lacks_is_put_together(word: str, parts: list[str]) -> None:
    assert parts_of(word, known={"weigh", "bridge", "bridg", "e"}.__contains__) == parts


def test_an_expected_phrase_must_sound_like_what_was_heard_freely() -> None:
    assert alike(
        ["W", "AH", "T", "IH", "Z", "AA", "N"], ["W", "AH", "T", "IH", "Z", "AA", "N", "AH"]
    )  # a breath taken for a word
    assert not alike(
        ["W", "AH", "T", "IH", "Z", "AA", "N"], ["DH", "AH", "D", "AO", "G", "Z", "S", "K", "R", "IY", "N"]
    )
    assert not alike(["W", "AH", "T"], [])
