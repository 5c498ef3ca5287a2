"""How busy a voice worker is: what is scarcest decides."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import psutil
from livekit.agents import AgentServer

# A machine's processors are looked at over so long, in seconds: a call that begins is a burst.
_AVERAGE: Final = 2.5


def load_of(*, most_calls: int, is_bounded: bool = True) -> Callable[[AgentServer], float]:
    """What livekit-agents asks every half second. A worker whose answer is VOICE_MOST_LOAD or more is given none.

    Args:
        most_calls: at a time; 0: as many as processors and memory allow.
        is_bounded: False for a worker that takes whatever comes: LiveKit passes over one whose load is above its own
            `agents.target_load`, 0.7 unless configured, whatever the worker says of itself.
    """
    smoothed = [0.0]

    def load(server: AgentServer) -> float:
        busy = psutil.cpu_percent(interval=None) / 100
        smoothed[0] += (busy - smoothed[0]) * min(1.0, 0.5 / _AVERAGE)
        calls = len(server.active_jobs)
        if most_calls and calls >= most_calls:
            return math.inf
        if not is_bounded:
            return min(calls, 600) / 1000  # the least busy one first, still
        return max(smoothed[0], psutil.virtual_memory().percent / 100)

    return load
