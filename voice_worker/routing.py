"""Websocket URLs."""

from __future__ import annotations

from typing import Any

from django.urls import path

from voice_worker.audio_stream.consumers import AudioConsumer

websocket_urls: list[Any] = [path("api/v1/voice/stream", AudioConsumer.as_asgi())]
