"""Conversations: messages, turns, and the live events of each."""
