"""Runtime configs: the models and devices an agent runs on, and its limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from pydantic import Field

from agents.content.base import Content, Fault, Line, Part, Text
from agents.content.speech import BUILT_IN, LANGUAGE_TAG, Speech, Task, provider_faults

LOCAL_MODEL = "local"
AMBIENCES = ("city", "forest", "office", "crowd", "music")
THINKING_SOUNDS = ("keyboard",)
_WORDS: Final[Mapping[Task, str]] = {
    "chat": "answer messages",
    "hear": "hear",
    "speak": "speak",
    "realtime": "hear and speak by itself",
}


class ModelChoice(Part):
    """A language model and how it is asked."""

    endpoint: Line = Field(default="", description="Name of a model endpoint; empty: the built-in local model.")
    model: Line = Field(default=LOCAL_MODEL, min_length=1, description="The endpoint's name for the model.")
    temperature: float = Field(default=0.2, ge=0, le=2)
    max_tokens: int = Field(default=1024, ge=1, le=32_000, description="Most tokens of one answer.")

    def faults(self, field: str) -> list[Fault]:
        if not self.endpoint and self.model != LOCAL_MODEL:
            return [Fault(f"{field}.endpoint", "Name an endpoint for every model but the local one.")]
        if self.endpoint and self.model == LOCAL_MODEL:
            return [Fault(f"{field}.model", "Name the model, as the endpoint calls it.")]
        return []


class TurnTaking(Part):
    """When it is whose turn to speak. All in seconds."""

    allow_interruptions: bool = True
    min_endpointing_delay: float = Field(default=0.4, ge=0, le=10)
    max_endpointing_delay: float = Field(default=3.0, ge=0, le=30)
    user_away_timeout: float = Field(default=15.0, ge=0, le=600)


class BackgroundAudio(Part):
    """What is heard behind the voice."""

    ambience: Line = Field(default="", description=f"{', '.join(AMBIENCES)}; empty: silence.")
    thinking: Line = Field(
        default="", description=f"Heard while it thinks: {', '.join(THINKING_SOUNDS)}; empty: nothing."
    )
    volume: float = Field(default=0.5, ge=0, le=1)

    def faults(self, field: str) -> list[Fault]:
        return [
            Fault(f"{field}.{name}", f"There is no sound “{chosen}”; there are {', '.join(sounds)}.")
            for name, chosen, sounds in (
                ("ambience", self.ambience, AMBIENCES),
                ("thinking", self.thinking, THINKING_SOUNDS),
            )
            if chosen and chosen not in sounds
        ]


class Vision(Part):
    """Whether it looks at a shared screen or camera, and how often."""

    enabled: bool = False
    frames_per_second: float = Field(default=1.0, gt=0, le=1)
    most_frames: int = Field(default=5, ge=1, le=10, description="Frames that go to the model with one message.")


class MemoryPolicy(Part):
    """What is remembered."""

    window_tokens: int = Field(default=6000, ge=500, le=200_000)
    summarise: bool = True
    contact_facts: bool = Field(default=False, description="Keep facts about a contact, by consent.")
    fact_days: int = Field(default=365, ge=1, le=3650, description="How long a fact is kept.")


class CachePolicy(Part):
    """Whether an answer is given again to whoever asks the same."""

    enabled: bool = Field(default=False, description="Only answers that used no tool and no personal data.")
    ttl_seconds: int = Field(default=3600, ge=60, le=30 * 86_400, description="How long an answer is kept.")
    similarity: float = Field(
        default=0.85, ge=0.7, le=1, description="How near a question must be to one that was answered; 1: the same."
    )


class SafetyPolicy(Part):
    """What goes neither in nor out."""

    blocked_topics: tuple[Line, ...] = Field(default=(), max_length=50)
    redact_personal_data: bool = False
    longest_answer_characters: int = Field(default=8000, ge=100, le=100_000)
    require_citations: bool = False


class RuntimeContent(Content):
    """Everything an agent runs on. Without any, it is the local model by text."""

    llm: ModelChoice = ModelChoice()
    fallbacks: tuple[ModelChoice, ...] = Field(default=(), max_length=5, description="Tried in order.")
    judge: ModelChoice | None = Field(default=None, description="Judges test cases that ask for judgement.")
    stt: Speech = Field(default=Speech(), description="What hears people.")
    stt_fallbacks: tuple[Speech, ...] = Field(default=(), max_length=3, description="Tried in order.")
    tts: Speech = Field(default=Speech(), description="What speaks.")
    tts_fallbacks: tuple[Speech, ...] = Field(default=(), max_length=3, description="Tried in order.")
    realtime: Speech | None = Field(
        default=None, description="One model that hears, answers and speaks, in place of all three."
    )
    voice: Line = Field(default="", description="Of what speaks first, where that names none.")
    languages: tuple[Line, ...] = Field(
        default=(), max_length=30, description="Tags of what is spoken to it, the likeliest first; empty: English."
    )
    background_audio: BackgroundAudio = BackgroundAudio()
    welcome_message: Text = ""
    turn_taking: TurnTaking = TurnTaking()
    vision: Vision = Vision()
    memory: MemoryPolicy = MemoryPolicy()
    cache: CachePolicy = CachePolicy()
    safety: SafetyPolicy = SafetyPolicy()

    def faults(self) -> list[Fault]:
        found = self.llm.faults("llm")
        for index, choice in enumerate(self.fallbacks):
            found += choice.faults(f"fallbacks.{index}")
        if self.judge is not None:
            found += self.judge.faults("judge")
            if not self.judge.endpoint:
                found.append(Fault("judge.endpoint", "The local model can't judge; name an endpoint."))
        for place, speech, _ in self.speeches():
            found += speech.faults(place)
        if self.realtime is not None and not self.realtime.endpoint:
            found.append(Fault("realtime.endpoint", "Nothing built in hears and speaks by itself; name an endpoint."))
        found += [
            Fault(f"languages.{index}", f"{tag} is no language tag such as en or de-AT.")
            for index, tag in enumerate(self.languages)
            if not LANGUAGE_TAG.fullmatch(tag)
        ]
        found += self.background_audio.faults("background_audio")
        if self.turn_taking.min_endpointing_delay > self.turn_taking.max_endpointing_delay:
            found.append(Fault("turn_taking.max_endpointing_delay", "This is less than the least delay."))
        return found

    def choices(self) -> Iterator[tuple[str, ModelChoice]]:
        """Its language models, and where each stands."""
        yield "llm", self.llm
        yield from ((f"fallbacks.{index}", choice) for index, choice in enumerate(self.fallbacks))
        if self.judge is not None:
            yield "judge", self.judge

    def speeches(self) -> Iterator[tuple[str, Speech, Task]]:
        """What hears and speaks, where each stands, and which of the two it does."""
        yield "stt", self.stt, "hear"
        yield from ((f"stt_fallbacks.{index}", speech, "hear") for index, speech in enumerate(self.stt_fallbacks))
        yield "tts", self.tts, "speak"
        yield from ((f"tts_fallbacks.{index}", speech, "speak") for index, speech in enumerate(self.tts_fallbacks))
        if self.realtime is not None:
            yield "realtime", self.realtime, "realtime"

    def endpoints(self) -> set[str]:
        """Names of the model endpoints it needs."""
        named = [choice.endpoint for _, choice in self.choices()] + [
            speech.endpoint for _, speech, _ in self.speeches()
        ]
        return {name for name in named if name}

    def endpoint_faults(self, endpoints: Mapping[str, str], can: Mapping[str, frozenset[Task]]) -> list[Fault]:
        """What it asks of endpoints that aren't there, or of providers that don't do that.

        Args:
            endpoints: the provider of each endpoint there is, by the endpoint's name.
            can: what each provider can do.
        """
        found: list[Fault] = []

        def provider_of(place: str, name: str, task: Task) -> str | None:
            if not name:
                return BUILT_IN
            provider = endpoints.get(name)
            if provider is None:
                found.append(Fault(f"{place}.endpoint", f"There is no model endpoint named {name}."))
            elif task not in can[provider]:
                found.append(Fault(f"{place}.endpoint", f"{name} is no endpoint that can {_WORDS[task]}."))
                return None
            return provider

        for place, choice in self.choices():
            provider_of(place, choice.endpoint, "chat")
        for place, speech, task in self.speeches():
            provider = provider_of(place, speech.endpoint, task)
            # A realtime model without an endpoint is refused whoever there is.
            if provider is not None and not (task == "realtime" and provider == BUILT_IN):
                found += provider_faults(speech, place, provider, task)
        return found
