"""Runtime configs: the models and devices an agent runs on, and its limits."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from agents.content.base import Content, Fault, Line, Part, Text

LOCAL_MODEL = "local"


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


class Speech(Part):
    """A provider that hears or speaks."""

    provider: Line = ""
    model: Line = ""
    language: Line = ""
    options: dict[str, Any] = Field(default_factory=dict)


class TurnTaking(Part):
    """When it is whose turn to speak. All in seconds."""

    allow_interruptions: bool = True
    min_endpointing_delay: float = Field(default=0.4, ge=0, le=10)
    max_endpointing_delay: float = Field(default=3.0, ge=0, le=30)
    user_away_timeout: float = Field(default=15.0, ge=0, le=600)


class BackgroundAudio(Part):
    """What is heard behind the voice."""

    ambience: Line = ""
    thinking: Line = ""
    volume: float = Field(default=0.5, ge=0, le=1)


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
    stt: Speech = Speech()
    tts: Speech = Speech()
    voice: Line = ""
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
        if self.turn_taking.min_endpointing_delay > self.turn_taking.max_endpointing_delay:
            found.append(Fault("turn_taking.max_endpointing_delay", "This is less than the least delay."))
        return found

    def endpoints(self) -> set[str]:
        """Names of the model endpoints it needs."""
        choices = [self.llm, *self.fallbacks, *([self.judge] if self.judge else [])]
        return {choice.endpoint for choice in choices if choice.endpoint}
