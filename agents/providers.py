"""The families of model providers: how each is spoken to, where it is, and the platform's own key for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.conf import settings

from agents.content.speech import Task

OPENAI_COMPATIBLE: Final = "openai_compatible"


@dataclass(frozen=True, slots=True)
class Provider:
    """A family of providers.

    Args:
        base_url: its own address; empty where there is no such thing.
        key_setting: the setting that holds the platform's key; empty: there is none.
        can: what its models do: answer messages, hear, speak, or all of it at once.
    """

    label: str
    base_url: str = ""
    key_setting: str = ""
    can: frozenset[Task] = frozenset({"chat"})


def _can(*tasks: Task) -> frozenset[Task]:
    return frozenset(tasks)


PROVIDERS: Final[dict[str, Provider]] = {
    "openai": Provider(
        "OpenAI", "https://api.openai.com/v1", "OPENAI_API_KEY", _can("chat", "hear", "speak", "realtime")
    ),
    "anthropic": Provider("Anthropic", "https://api.anthropic.com", "ANTHROPIC_API_KEY"),
    "google": Provider(
        "Google", "https://generativelanguage.googleapis.com", "GOOGLE_API_KEY", _can("chat", "hear", "realtime")
    ),
    "groq": Provider("Groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY", _can("chat", "hear", "speak")),
    "deepgram": Provider("Deepgram", "https://api.deepgram.com/v1", "DEEPGRAM_API_KEY", _can("hear")),
    "cartesia": Provider("Cartesia", "https://api.cartesia.ai", "CARTESIA_API_KEY", _can("speak")),
    "elevenlabs": Provider("ElevenLabs", "https://api.elevenlabs.io/v1", "ELEVENLABS_API_KEY", _can("speak")),
    "rime": Provider("Rime", "https://users.rime.ai", "RIME_API_KEY", _can("speak")),
    OPENAI_COMPATIBLE: Provider("OpenAI-compatible", can=_can("chat", "hear", "speak")),
}
CHOICES: Final = [(name, provider.label) for name, provider in PROVIDERS.items()]
CAN: Final = {name: provider.can for name, provider in PROVIDERS.items()}


def address_of(provider: str, base_url: str) -> str:
    """Where an endpoint is: what was given, else its provider's own address; empty where that has none."""
    return base_url.strip().rstrip("/") or PROVIDERS[provider].base_url


def is_own_address(provider: str, base_url: str) -> bool:
    """Whether an endpoint is the provider itself, and no proxy or look-alike."""
    return bool(base_url) and base_url == PROVIDERS[provider].base_url


def key_for(provider: str, base_url: str, tenants_key: str) -> str:
    """The key to sign in with: the tenant's, else the platform's, which is sent to the provider's own address alone.

    A tenant chooses the address of an endpoint. If the platform's key went along wherever that leads, any tenant could
    have it.
    """
    if tenants_key or not is_own_address(provider, base_url):
        return tenants_key
    return str(getattr(settings, PROVIDERS[provider].key_setting))
