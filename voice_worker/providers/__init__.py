"""What a voice session hears and speaks with, from its release's runtime config.

livekit-agents and its plugins are loaded when parts are first built, each provider's when it is first named.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from voice_worker.providers.parts import SpeechParts

if TYPE_CHECKING:
    import aiohttp

    from agents.content.runtime import RuntimeContent
    from voice_worker.providers.choices import Choice, Chooser
    from voice_worker.providers.entitlements import Entitlements

__all__ = ["SpeechParts", "SpeechUnavailable", "build_speech"]

T = TypeVar("T")


class SpeechUnavailable(Exception):
    """Nothing that was configured can hear or speak, and the platform runs without its own speech server."""


async def build_speech(
    *, runtime: RuntimeContent, entitlements: Entitlements, http: aiohttp.ClientSession
) -> SpeechParts:
    """The parts of a session. Nothing is connected to yet.

    What can't be used (a key is missing, a premium voice isn't the tenant's) makes room for the next in its chain, or
    for the built-in one where there is none, and `downgraded` says so.

    Args:
        http: a session of `voice_worker.providers.egress.open_http`, open for as long as the parts are used.

    Raises:
        SpeechUnavailable: neither what was configured nor the built-in speech server can be used.
        TenantNotSet: outside any tenant.
    """
    from agents.content.speech import BUILT_IN
    from voice_worker.providers import hearing, realtime, speaking
    from voice_worker.providers.choices import Chooser
    from voice_worker.providers.detector import speech_detector
    from voice_worker.providers.egress import is_guarded

    if not is_guarded(http):
        raise ValueError("Open the session with voice_worker.providers.egress.open_http().")
    parts = Chooser(runtime=runtime, entitlements=entitlements, http=http, closers=[], notes=[])
    detector = speech_detector()
    heard = await parts.choices([runtime.stt, *runtime.stt_fallbacks], "hear")
    spoken = await parts.choices([runtime.tts, *runtime.tts_fallbacks], "speak")
    ears = _built(heard, hearing.BUILDERS, parts) or [_own(hearing.BUILDERS, parts, "hear")]
    voices = _built(spoken, speaking.BUILDERS, parts) or [_own(speaking.BUILDERS, parts, "speak")]
    if all(choice.provider != BUILT_IN for choice in spoken):
        with contextlib.suppress(SpeechUnavailable):  # another voice is better than silence
            voices.append(_own(speaking.BUILDERS, parts, "speak"))
    alone = []
    if runtime.realtime is not None:
        alone = _built(await parts.choices([runtime.realtime], "realtime"), realtime.BUILDERS, parts)
    ear, voice = hearing.chain(ears, detector), speaking.chain(voices)
    # The adapters first, then what they hold, then the clients beneath.
    held: list[Any] = [ear, voice, *ears, *voices, *alone]
    outer = [one.aclose for one in dict.fromkeys(held)]
    return SpeechParts(
        ears=ear,
        voice=voice,
        detector=detector,
        realtime=alone[0] if alone else None,
        downgraded="; ".join(parts.notes),
        closers=[*outer, *parts.closers],
    )


def _built(choices: Sequence[Choice], builders: Mapping[str, Callable[[Choice], T]], chooser: Chooser) -> list[T]:
    from voice_worker.providers.choices import Unusable

    built = []
    for choice in choices:
        try:
            built.append(builders[choice.provider](choice))
        except (Unusable, ValueError) as reason:  # a ValueError is a plugin's: options that don't go together
            chooser.note(f"{choice.label} can't be used: {reason}")
    return built


def _own(builders: Mapping[str, Callable[[Choice], T]], chooser: Chooser, task: str) -> T:
    from agents.content.speech import BUILT_IN
    from voice_worker.providers.choices import Unusable

    try:
        return builders[BUILT_IN](chooser.built_in("hear" if task == "hear" else "speak"))
    except Unusable as reason:
        raise SpeechUnavailable(f"Nothing can {task}: {'; '.join([*chooser.notes, str(reason)])}") from None
