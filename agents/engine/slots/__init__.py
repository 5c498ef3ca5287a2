"""What a message says of what a tool needs: dates, times, people, choices. Pure and quick; no model is asked."""

from agents.engine.slots.asking import confirmation_for, question_for
from agents.engine.slots.consent import is_no, is_yes
from agents.engine.slots.filling import Filled, fill
from agents.engine.slots.language import language_of

__all__ = ["Filled", "confirmation_for", "fill", "is_no", "is_yes", "language_of", "question_for"]
