"""The detector of speech: Silero's, in this process."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import ParamSpec, TypeVar

from livekit.agents import inference, vad

P = ParamSpec("P")
T = TypeVar("T")


class AtOnce(Executor):
    """Does what it is given where it is given it.

    A look at a thirtieth of a second takes 25 µs. To have a thread do it takes ten times that, and each call looks
    sixty times a second.
    """

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        done: Future[T] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:
            done.set_exception(error)
        return done


def speech_detector() -> vad.VAD:
    """A detector for one session."""
    return inference.VAD(model="silero", executor=AtOnce())
