"""Imported once by the process that a worker's jobs are forked from, so that they begin in milliseconds and share the
memory of all that is imported here. It connects to nothing: connections don't survive a fork.
"""

import asyncio
import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "switchboard.settings")
# Nobody listens to silence for twenty seconds: a call goes on without the conversation, and tells it later.
os.environ.setdefault("DATABASE_WAIT_SECONDS", "3")

import django

django.setup(set_prefix=False)

# What a call would import by itself at its first word, and hold up all that is heard and said meanwhile.
import anyio._backends._asyncio  # noqa: F401
import genai_prices.data_snapshot  # noqa: F401
import numpy.fft  # noqa: F401
import psycopg_pool  # noqa: F401
import uvloop
from livekit.agents.llm import async_toolset  # noqa: F401
from livekit.plugins import cartesia, deepgram, elevenlabs, google, groq, openai, rime  # noqa: F401
from openai.resources.audio import speech  # noqa: F401

import voice_worker.providers.hearing
import voice_worker.providers.in_turn
import voice_worker.providers.realtime
import voice_worker.providers.speaking
import voice_worker.worker.job  # noqa: F401
from switchboard.kernel.tls import trust

trust()
# What is heard and said comes in small pieces, fifty a second: a fifth of a call's time went into the event loop.
asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
