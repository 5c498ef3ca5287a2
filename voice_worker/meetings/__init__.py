"""Meetings from outside: tokens for LiveKit, REST, LiveKit's webhooks, and the page where people meet."""
