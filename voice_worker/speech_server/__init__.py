"""The speech server: one small program that hears and speaks for the voice worker where no provider is configured.

It hears by pocketsphinx (American English) and speaks by espeak-ng (about a hundred languages). That proves the path
and is not pretty: for real calls name a provider in the runtime config, or a better server in ``SPEECH_URL``. It speaks
real providers' protocols, so that one client serves both:

- ``POST /v1/audio/speech`` and ``POST /v1/audio/transcriptions`` as OpenAI's API does;
- the websocket ``/v1/listen`` and ``POST /v1/listen`` as Deepgram's does, as far as livekit-plugins-deepgram asks.

``SPEECH_URL`` may name any other server of OpenAI's protocol (speaches with faster-whisper and kokoro, for instance),
and this one is not started at all. Start it by hand with ``python -m voice_worker.speech_server --port 8110``.

Every stream is heard in a child process of its own, forked from one that holds the models: it begins with nothing of
another's voice, may be killed at any time, and costs its own search space alone. docs/adr/0030-embedded-speech.md.
"""
