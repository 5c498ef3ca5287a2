"""What hears and speaks for an agent: a choice of an endpoint, its model and voice, and the options that each provider
takes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError

from agents.content.base import Fault, Line, Part

Task = Literal["chat", "hear", "speak", "realtime"]
BUILT_IN: Final = "built_in"  # among the providers, what an empty endpoint names
# The shape of RFC 5646 tags that people use: language, then script, region or variant.
LANGUAGE_TAG: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_MOST_TERMS: Final = 100


class Speech(Part):
    """What hears or speaks."""

    endpoint: Line = Field(default="", description="Name of a model endpoint; empty: the built-in one.")
    model: Line = Field(default="", description="As the endpoint calls it; empty: what the provider suggests.")
    voice: Line = Field(default="", description="As the endpoint calls it; only for speaking.")
    language: Line = Field(default="", description="A tag such as en or de-AT; empty: the first of the languages.")
    options: dict[str, Any] = Field(default_factory=dict)

    def faults(self, field: str) -> list[Fault]:
        """What is wrong with it, whoever provides it."""
        found = []
        if self.language and not LANGUAGE_TAG.fullmatch(self.language):
            found.append(Fault(f"{field}.language", f"{self.language} is no language tag such as en or de-AT."))
        return found


class _Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


Term = Annotated[str, Field(min_length=1, max_length=100)]
Terms = Annotated[list[Term], Field(max_length=_MOST_TERMS)]
Hint = Annotated[str, Field(max_length=2000)]
Speed = Annotated[float, Field(ge=0.25, le=4)]


class NoOptions(_Options):
    """For whom nothing can be set."""


class BuiltInHearing(_Options):
    """Where there are any terms, nothing but them and their words is heard: an open vocabulary is beyond the ears that
    come with the platform.
    """

    keyterm: Terms = []


class DeepgramHearing(_Options):
    """developers.deepgram.com/reference/speech-to-text/listen-streaming"""

    endpointing_ms: int = Field(default=25, ge=0, le=5000)
    filler_words: StrictBool = True
    keyterm: Terms = []
    mip_opt_out: StrictBool = False
    numerals: StrictBool = False
    profanity_filter: StrictBool = False
    punctuate: StrictBool = True
    smart_format: StrictBool = False


class WhisperHearing(_Options):
    """platform.openai.com/docs/api-reference/audio/createTranscription, console.groq.com/docs/speech-to-text"""

    prompt: Hint = ""


class GoogleHearing(_Options):
    """cloud.google.com/speech-to-text/v2/docs"""

    location: str = Field(default="global", pattern=r"^[a-z][a-z0-9-]{0,29}$")
    profanity_filter: StrictBool = False
    punctuate: StrictBool = True
    spoken_punctuation: StrictBool = False


class OpenAISpeaking(_Options):
    """platform.openai.com/docs/api-reference/audio/createSpeech"""

    instructions: Hint = ""
    speed: Speed = 1.0


class CartesiaSpeaking(_Options):
    """docs.cartesia.ai/api-reference/tts"""

    emotion: Term | None = None
    speed: float | None = Field(default=None, ge=0.6, le=1.5)
    volume: float | None = Field(default=None, ge=0.5, le=2)


class ElevenLabsSpeaking(_Options):
    """elevenlabs.io/docs/api-reference/text-to-speech"""

    apply_text_normalization: Literal["auto", "off", "on"] = "auto"
    similarity_boost: float = Field(default=0.75, ge=0, le=1)
    speed: float = Field(default=1.0, ge=0.7, le=1.2)
    stability: float = Field(default=0.5, ge=0, le=1)
    style: float = Field(default=0.0, ge=0, le=1)
    use_speaker_boost: StrictBool = True


class RimeSpeaking(_Options):
    """docs.rime.ai/api-reference"""

    pause_between_brackets: StrictBool = False
    phonemize_between_brackets: StrictBool = False
    time_scale_factor: float | None = Field(default=None, ge=0.5, le=2)


class OpenAIRealtime(_Options):
    """platform.openai.com/docs/api-reference/realtime"""

    speed: float = Field(default=1.0, ge=0.25, le=1.5)


class GoogleRealtime(_Options):
    """ai.google.dev/gemini-api/docs/live"""

    temperature: float = Field(default=0.8, ge=0, le=2)


# What each provider takes for a task, and so what it can do.
OPTIONS: Final[Mapping[tuple[str, Task], type[_Options]]] = {
    (BUILT_IN, "hear"): BuiltInHearing,
    (BUILT_IN, "speak"): NoOptions,
    ("deepgram", "hear"): DeepgramHearing,
    ("groq", "hear"): WhisperHearing,
    ("openai", "hear"): WhisperHearing,
    ("openai_compatible", "hear"): WhisperHearing,
    ("google", "hear"): GoogleHearing,
    ("cartesia", "speak"): CartesiaSpeaking,
    ("elevenlabs", "speak"): ElevenLabsSpeaking,
    ("rime", "speak"): RimeSpeaking,
    ("openai", "speak"): OpenAISpeaking,
    ("openai_compatible", "speak"): OpenAISpeaking,
    ("groq", "speak"): NoOptions,
    ("openai", "realtime"): OpenAIRealtime,
    ("google", "realtime"): GoogleRealtime,
}
# ElevenLabs' model and voice become parts of an address.
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.-]*")
# Where a server of anybody's stands behind the address there is no model to suggest.
_NAMES_NO_MODEL: Final = frozenset({"openai_compatible"})


def options_of(speech: Speech, provider: str, task: Task) -> dict[str, Any]:
    """The options that were given, as their types.

    Raises:
        ValidationError: one of them is not the provider's.
    """
    return OPTIONS[provider, task].model_validate(speech.options).model_dump(exclude_unset=True)


def provider_faults(speech: Speech, field: str, provider: str, task: Task) -> list[Fault]:
    """What is wrong with a choice for this provider, which can do the task."""
    found = []
    if not speech.model and provider in _NAMES_NO_MODEL:
        found.append(Fault(f"{field}.model", "Name the model, as the endpoint calls it."))
    if speech.voice and task == "hear":
        found.append(Fault(f"{field}.voice", "What hears has no voice."))
    if provider == "elevenlabs":
        named = {"model": speech.model, "voice": speech.voice}
        found += [
            Fault(f"{field}.{name}", "It has letters, digits, _, . and - only.")
            for name, value in named.items()
            if not _PLAIN.fullmatch(value)
        ]
    kind = OPTIONS[provider, task]
    try:
        kind.model_validate(speech.options)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False, include_context=False)[:20]:
            name = str(fault["loc"][0])
            if fault["type"] == "extra_forbidden":
                known = ", ".join(sorted(kind.model_fields)) or "none"
                message = f"There is no option {name[:80]} here; known: {known}."
            else:
                message = f"{name}: {fault['msg'][:1].lower()}{fault['msg'][1:].rstrip('.')}."
            found.append(Fault(f"{field}.options", message))
    return found
