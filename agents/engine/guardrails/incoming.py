"""What a contact says, before anything is done with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from agents.content.runtime import SafetyPolicy
from agents.engine.guardrails.redaction import redact
from agents.engine.guardrails.topics import topic_in
from agents.engine.guardrails.verdicts import Code, Verdict, told

LONGEST_MESSAGE: Final = 32_000  # characters; some 8,000 tokens


def check_input(
    text: str, policy: SafetyPolicy, *, likeness: Mapping[str, float] | None = None, language: str = "en"
) -> Verdict:
    """Whether a message may be answered, and what of it goes to models and logs.

    Args:
        likeness: of the message to the blocked topics, by name: cosines of their embeddings, where those are at hand.
        language: the contact's, for what they are told.
    """
    if len(text) > LONGEST_MESSAGE:
        return _refused("message_too_long", f"The message has more than {LONGEST_MESSAGE:,} characters.", language)
    if policy.blocked_topics and (topic := topic_in(text, policy.blocked_topics, likeness)):
        return _refused("topic_blocked", f"The message is about a blocked topic: {topic.name}.", language)
    return Verdict(True, text=redact(text) if policy.redact_personal_data else text)


def _refused(code: Code, reason: str, language: str) -> Verdict:
    return Verdict(False, code, reason, told(code, language))
