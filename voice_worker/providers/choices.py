"""From what a runtime config says to what is to be built: endpoints looked up, keys found, premium voices held back."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
from django.conf import settings

from agents import releases
from agents.content.runtime import RuntimeContent
from agents.content.speech import BUILT_IN, Speech, Task, options_of, provider_faults
from agents.models import ModelEndpoint
from agents.providers import CAN, OPENAI_COMPATIBLE, PROVIDERS, is_own_address
from voice_worker.providers.egress import speech_url
from voice_worker.providers.entitlements import Entitlements
from voice_worker.providers.parts import Closer

logger = logging.getLogger(__name__)

# The plugins won't be made without a key; a server of one's own may want none, and the built-in one does.
NO_KEY: Final = "none"
OWN_LABEL: Final = "switchboard"  # as the ledger calls what is built in
_ALWAYS_PREMIUM: Final = frozenset({"rime"})


class Unusable(Exception):
    """A part can't be built, for the reason that the text tells."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One part to be built.

    Args:
        label: what the ledger calls the provider: its own name at its own address, else the endpoint's.
        languages: what is spoken, the likeliest first; never empty.
        is_one_language: whether only the first of them is meant.
    """

    provider: str
    label: str
    base_url: str
    api_key: str
    model: str
    voice: str
    languages: tuple[str, ...]
    is_one_language: bool
    options: dict[str, Any]
    http: aiohttp.ClientSession
    closers: list[Closer]

    @property
    def language(self) -> str:
        return self.languages[0]


@dataclass(frozen=True, slots=True)
class Chooser:
    """Finds what each part of a runtime config is built from, for one session."""

    runtime: RuntimeContent
    entitlements: Entitlements
    http: aiohttp.ClientSession
    closers: list[Closer]
    notes: list[str]

    async def choices(self, wanted: Sequence[Speech], task: Task) -> list[Choice]:
        """What can be built, in order. What can't be is noted, with the reason, and left out."""
        found = []
        for index, speech in enumerate(wanted):
            voice = speech.voice or (self.runtime.voice if task == "speak" and index == 0 else "")
            try:
                found.append(await self._choice(speech, voice, task))
            except Unusable as reason:
                self.note(f"{speech.endpoint or 'The built-in one'} can't {task}: {reason}")
        return found

    def built_in(self, task: Task) -> Choice:
        """What is always there.

        Raises:
            Unusable: the platform runs without its speech server.
        """
        return self._of_ours(Speech(language=self._languages(Speech())[0]), "", task)

    def note(self, text: str) -> None:
        """Say why something isn't as configured, to the log and to whoever asked for the parts."""
        logger.warning("speech: %s", text)
        self.notes.append(text)

    def _languages(self, speech: Speech) -> tuple[str, ...]:
        return (speech.language,) if speech.language else tuple(self.runtime.languages) or ("en",)

    async def _choice(self, speech: Speech, voice: str, task: Task) -> Choice:
        if not speech.endpoint:
            if task == "realtime":
                raise Unusable("nothing built in hears and speaks by itself")
            return self._of_ours(speech, voice, task)
        try:
            endpoint = await releases.endpoint_async(speech.endpoint)
        except ModelEndpoint.DoesNotExist:
            raise Unusable("there is no such endpoint any more") from None
        provider = endpoint.provider
        if task not in CAN[provider]:
            raise Unusable(f"{PROVIDERS[provider].label} doesn't do that")
        if is_premium(provider, voice) and (refusal := self.entitlements.refusal()):
            raise Unusable(f"its voice is premium, and {refusal}")
        own = is_own_address(provider, endpoint.base_url)
        if own and not endpoint.api_key:
            raise Unusable("it has no API key, and the platform has none for it")
        # As it was checked when it was published; since then the endpoint may have moved to another provider, and the
        # voice may come from the config as a whole.
        speech = speech.model_copy(update={"voice": voice})
        if faults := provider_faults(speech, "", provider, task):
            raise Unusable(f"its config doesn't fit: {faults[0].message}")
        return Choice(
            provider=provider,
            label=provider if own else _own_name(endpoint.name),
            base_url=endpoint.base_url,
            api_key=endpoint.api_key or NO_KEY,
            model=speech.model,
            voice=voice,
            languages=self._languages(speech),
            is_one_language=bool(speech.language) or len(self.runtime.languages) < 2,
            options=options_of(speech, provider, task),
            http=self.http,
            closers=self.closers,
        )

    def _of_ours(self, speech: Speech, voice: str, task: Task) -> Choice:
        address = speech_url()
        if not address:
            raise Unusable("the platform runs without its speech server (SPEECH_URL)")
        languages = self._languages(speech)
        if task == "hear" and not settings.SPEECH_HEARING_MODEL and languages[0].partition("-")[0] != "en":
            # Better than nothing: what comes of other words is told apart from silence, and the voice is theirs.
            logger.warning("speech: the built-in one hears English alone, not %s", languages[0])
            languages = ("en",)
        return Choice(
            provider=BUILT_IN,
            label=OWN_LABEL,
            base_url=address,
            api_key=settings.SPEECH_API_KEY or NO_KEY,
            model=speech.model,
            voice=voice,
            languages=languages,
            is_one_language=True,
            options=options_of(speech, BUILT_IN, task),
            http=self.http,
            closers=self.closers,
        )


def is_premium(provider: str, voice: str) -> bool:
    """Whether a voice is for premium tenants alone: Rime's, and what `PREMIUM_VOICES` lists."""
    listed = set(settings.PREMIUM_VOICES)
    return provider in _ALWAYS_PREMIUM or provider in listed or f"{provider}:{voice}" in listed


def _own_name(name: str) -> str:
    """A tenant's server under the name they gave it, unless that would pass for a provider of which we know prices."""
    return f"{OPENAI_COMPATIBLE}: {name}"[:80] if name in PROVIDERS or name == OWN_LABEL else name
