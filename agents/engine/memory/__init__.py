"""What is remembered: a window of a conversation, a summary of what was before it, and facts about the contact."""

from agents.engine.memory.recall import Fact, Memory, remembered
from agents.engine.memory.turns import Said, covered_until, is_due, remember_turn

__all__ = ["Fact", "Memory", "Said", "covered_until", "is_due", "remember_turn", "remembered"]
