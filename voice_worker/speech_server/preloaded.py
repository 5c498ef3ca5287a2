"""Imported by the process that children are forked from: the models are loaded there, once for all of them."""

from voice_worker.speech_server.child import load

load()
