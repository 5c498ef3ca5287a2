"""Imported once by the process that a worker's jobs are forked from, so that they begin in milliseconds and share the
memory of all that is imported here. It connects to nothing: connections don't survive a fork.
"""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "switchboard.settings")
# Nobody listens to silence for twenty seconds: a call goes on without the conversation, and tells it later.
os.environ.setdefault("DATABASE_WAIT_SECONDS", "3")

import django

django.setup(set_prefix=False)

from livekit.plugins import cartesia, deepgram, elevenlabs, google, groq, openai, rime  # noqa: F401

import voice_worker.worker.job  # noqa: F401
from switchboard.kernel.tls import trust

trust()
