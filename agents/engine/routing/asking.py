"""The question that is asked back where it is unclear who is meant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from agents.engine.routing.values import Candidate
from agents.engine.slots import language_of

_EITHER: Final = {
    "en": "Is this about {options}?",
    "de": "Geht es um {options}?",
    "fr": "S'agit-il de {options} ?",
    "es": "¿Se trata de {options}?",
    "it": "Si tratta di {options}?",
}
_OPEN: Final = {
    "en": "What is it about? I can help with {options}.",
    "de": "Worum geht es? Ich kann helfen bei: {options}.",
    "fr": "De quoi s'agit-il ? Je peux vous aider pour : {options}.",
    "es": "¿De qué se trata? Puedo ayudarle con: {options}.",
    "it": "Di che cosa si tratta? Posso aiutarla con: {options}.",
}
_OR: Final = {"en": "or", "de": "oder", "fr": "ou", "es": "o", "it": "o"}
_MOST: Final = 6


def question_between(text: str, near: Sequence[Candidate], candidates: Sequence[Candidate]) -> str:
    """A question in the message's language: which of the near ones, else what it is about at all."""
    language = language_of(text)
    offered = [one for one in (near or candidates) if not one.is_escalation] or list(candidates)
    names = [one.name for one in offered[:_MOST]]
    joined = f" {_OR[language]} ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
    return (_EITHER if len(near) > 1 and len(names) > 1 else _OPEN)[language].format(options=joined)
