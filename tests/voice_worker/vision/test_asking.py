"""Whether somebody asks about what they show: no picture goes anywhere where nobody does."""

from __future__ import annotations

import sys
import time

import pytest

from tests.voice_worker.vision.utterances import HELD_OUT, TUNED, labelled
from voice_worker.vision.asking import wants_to_see


def judged(listed: dict[str, str]) -> tuple[float, float]:
    """Precision and recall."""
    found = [(wants_to_see(said, language), asks) for language, said, asks in labelled(listed)]
    right = sum(guess and asks for guess, asks in found)
    return right / sum(guess for guess, _ in found), right / sum(asks for _, asks in found)


@pytest.mark.parametrize("name", ["tuned", "held out"])
def test_precision_and_recall(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    listed = TUNED if name == "tuned" else HELD_OUT
    precision, recall = judged(listed)
    with capsys.disabled():
        sys.stdout.write(f"\n{name}, {len(labelled(listed))} said: precision {precision:.2f}, recall {recall:.2f}\n")
    if name == "tuned":
        assert (precision, recall) == (1, 1)
    assert precision >= 0.95
    assert recall >= 0.9


@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_each_language_has_its_own_examples(language: str) -> None:
    ours = [asks for listed in (TUNED, HELD_OUT) for one, _, asks in labelled(listed) if one == language]
    assert sum(ours) >= 20
    assert len(ours) - sum(ours) >= 20


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("WHAT IS ON MY SCREEN", "en"),
        ("what\u2019s this?", "en-GB"),
        ("Was steht  da\noben rechts", "de-CH"),
        ("¿Qué hay en mi pantalla?", "es"),
        ("What do you see?", "nl"),
        ("画面に何がありますか", "ja"),
    ],
)
def test_however_it_is_written(question: str, language: str) -> None:
    assert wants_to_see(question, language)


def test_a_short_question_goes_on_from_one_that_looked() -> None:
    for question in ("And that?", "What about the one next to it?", "Und darunter?", "Et là ?"):
        assert wants_to_see(question, has_just_looked=True)
    assert not wants_to_see("And thank you.", has_just_looked=True)
    assert not wants_to_see("When does the spa open?", has_just_looked=True)


def test_nothing_is_nothing() -> None:
    assert not wants_to_see("")
    assert not wants_to_see("…")


def test_no_sentence_takes_long() -> None:
    began = time.perf_counter()
    for language in ("en", "de", "fr"):
        for hostile in ("see " * 5000, "the " * 5000, "what do the " + "a " * 10_000, "où " * 5000, "?" * 20_000):
            wants_to_see(hostile, language)
    assert time.perf_counter() - began < 3
