"""OpenAI's chat completions over this platform's agents: what speaks to OpenAI speaks to them."""

from conversations.api.chat_completions.api import chat_completions

__all__ = ["chat_completions"]
