"""Websocket URLs."""

from __future__ import annotations

from typing import Any

from django.urls import path

from conversations.consumers import ConversationConsumer

websocket_urls: list[Any] = [path("ws/conversations/<uuid:conversation_id>", ConversationConsumer.as_asgi())]
