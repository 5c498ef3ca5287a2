"""Models that hear, answer and speak by themselves."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from agents.providers import is_own_address
from voice_worker.providers.choices import Choice, Unusable
from voice_worker.providers.egress import is_listed
from voice_worker.providers.naming import known_as

if TYPE_CHECKING:
    from livekit.agents import APIConnectOptions, llm

logger = logging.getLogger(__name__)


def _patience() -> APIConnectOptions:
    """A session goes on with ears, engine and voice where the model can't be reached; nobody waits a minute for it."""
    from livekit.agents import APIConnectOptions

    return APIConnectOptions(max_retry=1, retry_interval=1.0, timeout=5.0)


def _openai(choice: Choice) -> llm.RealtimeModel:
    from livekit.plugins import openai

    named = {"model": choice.model, "voice": choice.voice}

    class Model(openai.realtime.RealtimeModel):
        def session(self, *, turn_detection_disabled: bool = False) -> openai.realtime.RealtimeSession:
            session = super().session(turn_detection_disabled=turn_detection_disabled)
            close = session.aclose

            async def aclose() -> None:
                # One whose connection failed raises that anew when it is closed, and then nothing could take its place.
                try:
                    await close()
                except Exception as error:
                    logger.info("a realtime session that had failed is closed: %s", type(error).__name__)

            session.aclose = aclose  # type: ignore[method-assign]
            return session

    kind: type[Any] = known_as(Model, choice.label)
    model: llm.RealtimeModel = kind(
        base_url=f"{choice.base_url}/realtime",
        api_key=choice.api_key,
        http_session=choice.http,
        conn_options=_patience(),
        **{name: value for name, value in named.items() if value},
        **choice.options,
    )
    return model


def _google(choice: Choice) -> llm.RealtimeModel:
    # Its client looks names up by itself, so that no address can be judged and then held to. It goes to Google, or to
    # a host that the operator has listed by name.
    if not is_own_address(choice.provider, choice.base_url) and not is_listed(choice.base_url):
        raise Unusable("Gemini Live is reached at Google's own address, or at a host:port listed in EGRESS_ALLOW")
    from google.genai import types
    from livekit.plugins import google

    given: dict[str, Any] = {"model": choice.model, "voice": choice.voice}
    given |= {"language": choice.language} if choice.is_one_language else {}
    return known_as(google.realtime.RealtimeModel, choice.label)(
        api_key=choice.api_key,
        vertexai=False,
        http_options=types.HttpOptions(base_url=choice.base_url),
        conn_options=_patience(),
        **{name: value for name, value in given.items() if value},
        **choice.options,
    )


BUILDERS: Final[Mapping[str, Callable[[Choice], llm.RealtimeModel]]] = {"openai": _openai, "google": _google}
