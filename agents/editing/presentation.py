"""How the fields of the content models are put to people: words, order, and what is folded away.

What isn't here is shown all the same, with what its model says of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from pydantic.fields import FieldInfo

from agents.content.agent import ProfileContent
from agents.content.base import Content, Part
from agents.content.personality import PersonalityContent
from agents.content.prompt import PromptContent, Variable
from agents.content.runtime import (
    BackgroundAudio,
    CachePolicy,
    MemoryPolicy,
    ModelChoice,
    RuntimeContent,
    SafetyPolicy,
    TurnTaking,
    Vision,
)
from agents.content.speech import Speech
from agents.content.tool import ToolContent


@dataclass(frozen=True, slots=True)
class Hint:
    """How one field is shown.

    Args:
        widget: in place of the one its type asks for: `chips` or `schema`.
        source: the list of choices that the page brings, such as `endpoints`.
        choices: words for the values of a choice.
        shown_for: values of `kind`, in the same form, that it matters for; all if empty.
        rows: height of a box, in lines.
        wide: takes the whole width among its neighbours.
        adds: what the button says that adds a row.
    """

    label: str = ""
    help: str = ""
    widget: str = ""
    placeholder: str = ""
    source: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    shown_for: tuple[str, ...] = ()
    rows: int = 4
    wide: bool = False
    required: bool = False
    adds: str = "Add"


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that stand under one heading.

    Args:
        is_open: whether it is unfolded from the start.
    """

    title: str
    fields: tuple[str, ...] = ()
    help: str = ""
    icon: str = ""
    is_open: bool = False


GROUPS: Final[Mapping[type[Content], tuple[Group, ...]]] = {
    PromptContent: (Group("", ("template", "variables"), is_open=True),),
    ToolContent: (
        Group(
            "What it is",
            ("kind", "description", "examples", "handler", "remote_name", "credentials", "writes", "timeout_seconds"),
            is_open=True,
        ),
        Group("What it takes", ("input_schema",), help="The model fills these in when it uses the tool.", is_open=True),
        Group("What comes back", ("output_template",)),
        Group(
            "The request", ("http",), help="How an HTTP service is asked, where sending it the arguments isn't enough."
        ),
        Group("Pinned", ("pinned",), help="What an MCP server said of the tool when it was published."),
    ),
    RuntimeContent: (
        Group(
            "Model",
            ("llm", "fallbacks", "judge"),
            help="Who answers, and who steps in.",
            icon="psychology",
            is_open=True,
        ),
        Group(
            "Speech",
            (
                "welcome_message",
                "languages",
                "stt",
                "stt_fallbacks",
                "tts",
                "tts_fallbacks",
                "voice",
                "realtime",
                "background_audio",
            ),
            help="What it says first; how it hears and sounds.",
            icon="graphic_eq",
        ),
        Group("Turn-taking", ("turn_taking",), help="When it is whose turn, in a call.", icon="swap_calls"),
        Group("Vision", ("vision",), help="Whether it looks at a shared screen.", icon="visibility"),
        Group("Memory", ("memory",), help="What it remembers of a conversation.", icon="history"),
        Group("Answer cache", ("cache",), help="Answers that are given again.", icon="cached"),
        Group("Safety", ("safety",), help="What goes neither in nor out.", icon="shield"),
    ),
}

HINTS: Final[Mapping[tuple[type[Part], str], Hint]] = {
    (PromptContent, "template"): Hint("Instructions", widget="prompt", rows=18),
    (PromptContent, "variables"): Hint(
        "Variables", "A release fills them in, once for all its conversations.", adds="Add a variable"
    ),
    (Variable, "name"): Hint(placeholder="opening_hours"),
    (Variable, "default"): Hint(help="Used where a release gives no value; only if not required.", rows=1),
    (PersonalityContent, "instructions"): Hint(
        "How it speaks", "Added before every prompt it is combined with.", rows=9
    ),
    (PersonalityContent, "tone"): Hint(placeholder="warm, brief, exact", wide=True),
    (PersonalityContent, "capabilities"): Hint(
        "It can", "What it may say that it can do.", widget="chips", placeholder="book a table"
    ),
    (PersonalityContent, "languages"): Hint(
        help="Tags such as en or de-AT. None: any language.", widget="chips", placeholder="en"
    ),
    (ToolContent, "kind"): Hint(
        "Carried out by",
        choices={
            "knowledge": "Knowledge search",
            "http": "An HTTP request",
            "mcp": "An MCP server",
            "python": "A Python function of the platform",
        },
    ),
    (ToolContent, "description"): Hint(
        "When to use it", "The model decides by this. Say what it does and when it helps.", rows=4
    ),
    (ToolContent, "handler"): Hint(
        "Address or name",
        "The URL to call, or the registered name of a Python tool such as lead.capture.",
        shown_for=("http", "mcp", "python"),
        placeholder="https://",
        wide=True,
    ),
    (ToolContent, "credentials"): Hint(
        help="The name of the secret it signs in with; empty for none.", source="secrets", shown_for=("http", "mcp")
    ),
    (ToolContent, "remote_name"): Hint("The server's name for it", "As the MCP server lists it.", shown_for=("mcp",)),
    (ToolContent, "pinned"): Hint(
        "Fingerprint",
        "“Pin what the MCP server says” in the list of tools fills it in.",
        shown_for=("mcp",),
    ),
    (ToolContent, "http"): Hint("A request of its own", shown_for=("http",)),
    (ToolContent, "writes"): Hint(
        "It changes something", "Then the contact is asked first.", shown_for=("http", "mcp", "python")
    ),
    (ToolContent, "timeout_seconds"): Hint("Most time it may take", "Seconds."),
    (ToolContent, "examples"): Hint(
        "Examples", "Messages that ask for it, one a line: the built-in model knows it by these.", rows=4
    ),
    (ToolContent, "input_schema"): Hint("Arguments", widget="schema", rows=12),
    (ToolContent, "output_template"): Hint("How its result is put to the model", "Empty: as it comes.", rows=4),
    (RuntimeContent, "llm"): Hint(" "),
    (RuntimeContent, "fallbacks"): Hint(
        "Fallbacks", "Tried in this order when the model before can't be had.", adds="Add a fallback"
    ),
    (RuntimeContent, "judge"): Hint("Judge", "Judges those test cases that ask for judgement."),
    (RuntimeContent, "welcome_message"): Hint("Welcome message", "Said before anybody asks.", rows=3, wide=True),
    (RuntimeContent, "languages"): Hint(
        "Spoken languages",
        "Tags such as en or de-AT, the likeliest first. None: English.",
        widget="chips",
        placeholder="en",
    ),
    (RuntimeContent, "stt"): Hint("Hearing"),
    (RuntimeContent, "stt_fallbacks"): Hint(
        "Others that hear", "Tried in this order when the one before can't be had.", adds="Add another"
    ),
    (RuntimeContent, "tts"): Hint("Speaking"),
    (RuntimeContent, "tts_fallbacks"): Hint(
        "Others that speak", "Tried in this order when the one before can't be had.", adds="Add another"
    ),
    (RuntimeContent, "realtime"): Hint(
        "A realtime model", "Hears, answers and speaks by itself, in place of all three."
    ),
    (RuntimeContent, "voice"): Hint("Voice", "Of what speaks first, where that names none."),
    (RuntimeContent, "background_audio"): Hint("Background audio"),
    (RuntimeContent, "turn_taking"): Hint(" "),
    (RuntimeContent, "vision"): Hint(" "),
    (RuntimeContent, "memory"): Hint(" "),
    (RuntimeContent, "cache"): Hint(" "),
    (RuntimeContent, "safety"): Hint(" "),
    (ModelChoice, "endpoint"): Hint("Endpoint", "Where the model is asked.", source="endpoints"),
    (ModelChoice, "model"): Hint("Model", "As the endpoint calls it; “local” for the built-in model."),
    (ModelChoice, "temperature"): Hint(help="0 is strict, 2 is wild."),
    (ModelChoice, "max_tokens"): Hint("Longest answer", "In tokens."),
    (Speech, "endpoint"): Hint("Endpoint", "Who hears or speaks.", source="speech_endpoints"),
    (Speech, "model"): Hint("Model", "As the endpoint calls it; empty for what the provider suggests."),
    (Speech, "voice"): Hint("Voice", "As the endpoint calls it; only for speaking."),
    (Speech, "language"): Hint("Language", "Empty for the first of the spoken languages."),
    (Speech, "options"): Hint("Options", "What else the provider takes, as JSON.", rows=3, wide=True),
    (BackgroundAudio, "thinking"): Hint("While it thinks"),
    (TurnTaking, "allow_interruptions"): Hint("People may interrupt it"),
    (TurnTaking, "min_endpointing_delay"): Hint("Least silence before it answers", "Seconds."),
    (TurnTaking, "max_endpointing_delay"): Hint("Most silence before it answers", "Seconds."),
    (TurnTaking, "user_away_timeout"): Hint("Somebody is away after", "Seconds of silence."),
    (Vision, "enabled"): Hint("Look at what is shared"),
    (Vision, "most_frames"): Hint("Most frames", "That go to the model with one message."),
    (MemoryPolicy, "window_tokens"): Hint("Words it keeps in view", "In tokens."),
    (MemoryPolicy, "summarise"): Hint("Summarise what no longer fits"),
    (MemoryPolicy, "contact_facts"): Hint("Keep facts about a contact, by consent"),
    (MemoryPolicy, "fact_days"): Hint("Facts are kept for", "Days."),
    (CachePolicy, "enabled"): Hint("Give answers again"),
    (CachePolicy, "ttl_seconds"): Hint("An answer is kept for", "Seconds."),
    (CachePolicy, "similarity"): Hint("How near a question must be", "1: only the same question."),
    (SafetyPolicy, "blocked_topics"): Hint("Topics it declines", "One a line.", wide=True),
    (SafetyPolicy, "redact_personal_data"): Hint("Redact personal data"),
    (SafetyPolicy, "longest_answer_characters"): Hint("Longest answer", "In characters."),
    (SafetyPolicy, "require_citations"): Hint("Answer only what can be cited"),
    (ProfileContent, "kind"): Hint(
        "Kind",
        choices={
            "domain": "Domain agent: answers itself",
            "supervisor": "Supervisor: hands each question to the agent that knows",
        },
    ),
    (ProfileContent, "description"): Hint(
        "What it is for", "People choose by it, and a supervisor routes by it.", rows=4
    ),
    (ProfileContent, "examples"): Hint("Examples", "Messages it should be given, one a line.", rows=4),
    (ProfileContent, "suggested_questions"): Hint(
        "Suggested questions", "Offered before anybody asks, one a line.", rows=4
    ),
}


def hint_for(kind: type[Part], name: str, info: FieldInfo) -> Hint:
    """How a field is shown; what nobody described, by its own name and description."""
    hint = HINTS.get((kind, name), Hint())
    return replace(
        hint,
        label=hint.label or name.replace("_", " ").capitalize(),
        help=hint.help or info.description or "",
    )
