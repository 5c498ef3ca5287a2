"""What hears: a builder for each provider, and the chain of them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings

from agents.content.speech import BUILT_IN
from agents.providers import OPENAI_COMPATIBLE, is_own_address
from voice_worker.providers.choices import Choice, Unusable
from voice_worker.providers.egress import guarded_client, host_and_port, is_listed
from voice_worker.providers.naming import known_as

if TYPE_CHECKING:
    from livekit.agents import stt, vad

_MOST_HINT: Final = 2000
_GOOGLE_TOKENS: Final = "https://oauth2.googleapis.com/token"


def _deepgram(choice: Choice) -> stt.STT[Any]:
    from livekit.plugins import deepgram

    model = choice.model or "nova-3"
    several = not choice.is_one_language and model.startswith("nova-3")
    return known_as(deepgram.STT, choice.label)(
        model=model,
        language="multi" if several else choice.language,
        api_key=choice.api_key,
        base_url=f"{choice.base_url}/listen",
        http_session=choice.http,
        **choice.options,
    )


def _built_in(choice: Choice) -> stt.STT[Any]:
    terms: list[str] = choice.options.get("keyterm", [])
    if settings.SPEECH_HEARING_MODEL:
        # What such a model is told of what it may hear is a prompt.
        hint = ", ".join(terms)
        choice = dataclasses.replace(choice, options={"prompt": hint[:_MOST_HINT]} if hint else {})
        return _transcriptions(choice, choice.model or settings.SPEECH_HEARING_MODEL)
    from livekit.plugins import deepgram

    return known_as(deepgram.STT, choice.label)(
        model=choice.model or "built-in",
        language=choice.language,
        api_key=choice.api_key,
        base_url=f"{choice.base_url}/listen",
        http_session=choice.http,
        # The same as key terms to our server; the plugin takes those for models of Deepgram's alone.
        keywords=[(term, 1.0) for term in terms],
    )


def _openai(choice: Choice) -> stt.STT[Any]:
    return _transcriptions(choice, choice.model or "gpt-4o-mini-transcribe")


def _groq(choice: Choice) -> stt.STT[Any]:
    return _transcriptions(choice, choice.model or "whisper-large-v3-turbo")


def _compatible(choice: Choice) -> stt.STT[Any]:
    if not choice.model:
        raise Unusable("it names no model")
    return _transcriptions(choice, choice.model)


def _transcriptions(choice: Choice, model: str) -> stt.STT[Any]:
    from livekit.plugins import groq, openai
    from openai import AsyncOpenAI

    client = AsyncOpenAI(
        base_url=choice.base_url, api_key=choice.api_key, max_retries=0, http_client=guarded_client(is_voice=False)
    )
    choice.closers.append(client.close)
    kind = groq.STT if choice.provider == "groq" else openai.STT
    more: dict[str, Any] = {"api_key": choice.api_key} if choice.provider == "groq" else {"use_realtime": False}
    return known_as(kind, choice.label)(
        model=model,
        language=choice.language,
        detect_language=not choice.is_one_language,
        client=client,
        **more,
        **choice.options,
    )


def _google(choice: Choice) -> stt.STT[Any]:
    # Its client speaks gRPC and looks names up by itself: it goes to Google, or to a host that the operator has listed.
    is_own = is_own_address(choice.provider, choice.base_url)
    if not is_own and not (is_listed(choice.base_url) and choice.base_url.startswith("https://")):
        raise Unusable(
            "Google's speech recognition is reached at Google's own address, or by https at a host:port listed in "
            "EGRESS_ALLOW"
        )
    try:
        account = json.loads(choice.api_key)
    except ValueError:
        account = None
    if not isinstance(account, dict) or account.get("type") != "service_account":
        raise Unusable("Google hears for a service account alone: give its key, a JSON document, as the API key")
    # Where the account's tokens are asked for is in the document, which a tenant wrote.
    account |= {"token_uri": _GOOGLE_TOKENS, "universe_domain": "googleapis.com"}
    from voice_worker.providers import google_speech

    kind = google_speech.at_google() if is_own else google_speech.at(host_and_port(choice.base_url))
    return known_as(kind, choice.label)(
        model=choice.model or "latest_long",
        languages=[choice.language] if choice.is_one_language else list(choice.languages),
        detect_language=not choice.is_one_language,
        credentials_info=account,
        **choice.options,
    )


BUILDERS: Final[Mapping[str, Callable[[Choice], stt.STT[Any]]]] = {
    BUILT_IN: _built_in,
    "deepgram": _deepgram,
    "openai": _openai,
    "groq": _groq,
    "google": _google,
    OPENAI_COMPATIBLE: _compatible,
}


def chain(parts: Sequence[stt.STT[Any]], detector: vad.VAD) -> stt.STT[Any]:
    """One that hears by the first of several that can be had, loses no words to it, always streams, never ends."""
    from livekit.agents import stt

    from voice_worker.providers.in_turn import InTurn
    from voice_worker.providers.relay import Relay

    if any(part.capabilities.streaming for part in parts):
        return Relay(parts, detector)  # of one as well: it may hang too, and is then connected to anew
    # What the detector has cut out is given to each in turn.
    return stt.StreamAdapter(stt=parts[0] if len(parts) == 1 else InTurn(parts), vad=detector)
