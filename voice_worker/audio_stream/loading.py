"""The voice libraries: a second or more to load, and a hundred megabytes, which a process that nobody talks to needn't
have. They come with the first talk, or after the start where `AUDIO_STREAM_PRELOAD` asks for that.
"""

from __future__ import annotations

import asyncio
import importlib
from typing import Final

from django.conf import settings

from switchboard.kernel import lifespan

# What takes its time to load, in a thread; plugins, which livekit-agents wants loaded by the main thread, are light
# after that.
_HEAVY: Final = ("livekit.agents", "livekit.agents.inference", "openai", "av")


async def load() -> None:
    """Load them, while the event loop goes on but for a fifth of a second in all."""
    await asyncio.to_thread(_load)


async def preload() -> None:
    """Begin to load them where that is wanted, and keep nobody waiting for it: a hook of the web process' start."""
    if settings.AUDIO_STREAM_PRELOAD and settings.AUDIO_STREAMS:
        lifespan.spawn(load(), name="load the voice libraries")


def _load() -> None:
    for name in _HEAVY:
        importlib.import_module(name)
