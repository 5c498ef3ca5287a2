"""What speaks: a builder for each provider, and the chain of them."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from django.conf import settings

from agents.content.speech import BUILT_IN
from agents.providers import OPENAI_COMPATIBLE
from voice_worker.providers.choices import Choice, Unusable
from voice_worker.providers.egress import VOICE_SECONDS, PromptSession, guarded_client
from voice_worker.providers.naming import known_as

if TYPE_CHECKING:
    from livekit.agents import tts

# A language of espeak-ng, perhaps with a variant: de, en-us, de+f3.
_OUR_VOICE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{1,12}){0,3}(\+[a-z0-9]{1,12})?")
# Rime names languages by three letters.
_RIME_LANGUAGES: Final = {"en": "eng", "es": "spa", "fr": "fra", "de": "ger", "hi": "hin"}


def _given(**values: Any) -> dict[str, Any]:
    """Those that say something: the plugins have defaults of their own for the others."""
    return {name: value for name, value in values.items() if value not in ("", None)}


def _cartesia(choice: Choice) -> tts.TTS[Any]:
    from livekit.plugins import cartesia

    return known_as(cartesia.TTS, choice.label)(
        api_key=choice.api_key,
        base_url=choice.base_url,
        language=choice.language,
        http_session=choice.http,
        **_given(model=choice.model, voice=choice.voice),
        **choice.options,
    )


def _elevenlabs(choice: Choice) -> tts.TTS[Any]:
    from livekit.plugins import elevenlabs

    options = dict(choice.options)
    names = ("stability", "similarity_boost", "style", "speed", "use_speaker_boost")
    tone = {name: options.pop(name) for name in names if name in options}
    if tone:
        # The two that the protocol wants whenever it is given any.
        options["voice_settings"] = elevenlabs.VoiceSettings(**{"stability": 0.5, "similarity_boost": 0.75, **tone})
    return known_as(elevenlabs.TTS, choice.label)(
        api_key=choice.api_key,
        base_url=choice.base_url,
        language=choice.language,
        http_session=choice.http,
        **_given(model=choice.model, voice_id=choice.voice),
        **options,
    )


def _rime(choice: Choice) -> tts.TTS[Any]:
    language = _RIME_LANGUAGES.get(choice.language.partition("-")[0])
    if language is None:
        raise Unusable(f"Rime doesn't speak {choice.language}")
    from livekit.plugins import rime

    scheme, _, rest = choice.base_url.partition("://")
    return known_as(rime.TTS, choice.label)(
        base_url=f"{'wss' if scheme == 'https' else 'ws'}://{rest}",
        api_key=choice.api_key,
        lang=language,
        http_session=choice.http,
        # The plugin knows Rime's hosts by name; which ones may be reached is the guard's to say.
        allow_custom_endpoint=True,
        **_given(model=choice.model, speaker=choice.voice),
        **choice.options,
    )


def _openai(choice: Choice) -> tts.TTS[Any]:
    # PCM can be played from its first byte on, and has OpenAI's own rate, which the plugin takes for granted.
    return _speech(choice, "pcm", model=choice.model)


def _compatible(choice: Choice) -> tts.TTS[Any]:
    if not choice.model:
        raise Unusable("it names no model")
    # A WAV file says its rate.
    return _speech(choice, "wav", model=choice.model)


def _built_in(choice: Choice) -> tts.TTS[Any]:
    if settings.SPEECH_SPEAKING_MODEL:
        named = dataclasses.replace(choice, voice=choice.voice or settings.SPEECH_VOICE)
        return _speech(named, "wav", model=choice.model or settings.SPEECH_SPEAKING_MODEL)
    # Ours knows languages for voices; one of another provider's would be refused, and nobody would speak.
    voice = choice.voice if _OUR_VOICE.fullmatch(choice.voice) else choice.language
    return _speech(dataclasses.replace(choice, voice=voice), "pcm", model=choice.model or "built-in")


def _speech(choice: Choice, response_format: str, *, model: str) -> tts.TTS[Any]:
    from livekit.plugins import openai
    from openai import AsyncOpenAI

    client = AsyncOpenAI(
        base_url=choice.base_url, api_key=choice.api_key, max_retries=0, http_client=guarded_client(is_voice=True)
    )
    choice.closers.append(client.close)
    return known_as(openai.TTS, choice.label)(
        client=client,
        response_format=cast(Any, response_format),
        **_given(model=model, voice=choice.voice),
        **choice.options,
    )


def _groq(choice: Choice) -> tts.TTS[Any]:
    from livekit.plugins import groq

    return known_as(groq.TTS, choice.label)(
        base_url=choice.base_url,
        api_key=choice.api_key,
        http_session=cast(Any, PromptSession(choice.http)),
        **_given(model=choice.model, voice=choice.voice),
    )


BUILDERS: Final[Mapping[str, Callable[[Choice], tts.TTS[Any]]]] = {
    BUILT_IN: _built_in,
    "cartesia": _cartesia,
    "elevenlabs": _elevenlabs,
    "rime": _rime,
    "openai": _openai,
    "groq": _groq,
    OPENAI_COMPATIBLE: _compatible,
}


def chain(parts: Sequence[tts.TTS[Any]]) -> tts.TTS[Any]:
    """One that speaks by the first of several that can be had; where none can, its words can be read."""
    from voice_worker.providers.unspoken import Unspoken

    chained: tts.TTS[Any] = _hasty_fallback()([*parts, Unspoken()], max_retry_per_tts=0)
    return chained


@functools.cache
def _hasty_fallback() -> Any:
    """The adapter, made when livekit-agents has been loaded."""
    from livekit.agents import APIConnectOptions, tts

    class HastyFallback(tts.FallbackAdapter):
        """Gives each one `VOICE_SECONDS` to begin, whatever the session's patience: silence is all that is heard."""

        def synthesize(self, text: str, *, conn_options: APIConnectOptions = APIConnectOptions()) -> Any:  # noqa: B008
            return super().synthesize(text, conn_options=_hasty(conn_options))

        def stream(self, *, conn_options: APIConnectOptions = APIConnectOptions()) -> Any:  # noqa: B008
            return super().stream(conn_options=_hasty(conn_options))

    def _hasty(options: APIConnectOptions) -> APIConnectOptions:
        return dataclasses.replace(options, timeout=min(options.timeout, VOICE_SECONDS))

    return HastyFallback
