"""What the engine itself says, where no model speaks: short, and in the contact's language where it is one of these."""

from __future__ import annotations

from typing import Final

_PHRASES: Final[dict[str, dict[str, str]]] = {
    "done": {"en": "Done.", "de": "Erledigt.", "fr": "C'est fait."},
    "dropped": {
        "en": "All right, I have left it.",
        "de": "In Ordnung, ich habe es gelassen.",
        "fr": "D'accord, je n'ai rien fait.",
    },
    "failed": {
        "en": "I'm sorry, that didn't work: {reason}",
        "de": "Das hat leider nicht geklappt: {reason}",
        "fr": "Je suis désolé, cela n'a pas fonctionné : {reason}",
    },
    "unknown_outcome": {
        "en": "I can't tell whether that went through, so I have not tried again. A person should check it.",
        "de": "Ich kann nicht sagen, ob das angekommen ist, und habe es nicht wiederholt. Bitte lassen Sie es prüfen.",
        "fr": "Je ne sais pas si cela a abouti, et je n'ai pas réessayé. Une personne devrait vérifier.",
    },
    "invalid": {
        "en": "That can't be taken for {field}.",
        "de": "Das geht für {field} nicht.",
        "fr": "Cela ne convient pas pour {field}.",
    },
    "reminder": {
        "en": "And to come back to it: {question}",
        "de": "Und um darauf zurückzukommen: {question}",
        "fr": "Et pour y revenir : {question}",
    },
    "small_talk": {
        "en": "Hello! I can help with: {topics}.",
        "de": "Guten Tag! Ich helfe gern bei: {topics}.",
        "fr": "Bonjour ! Je peux vous aider pour : {topics}.",
    },
    "unclear": {
        "en": "I'm not sure what you need. I can help with: {topics}. Which is it?",
        "de": "Ich bin nicht sicher, was Sie brauchen. Ich helfe bei: {topics}. Worum geht es?",
        "fr": "Je ne suis pas sûr de comprendre. Je peux aider pour : {topics}. De quoi s'agit-il ?",
    },
    "escalated": {
        "en": "I'll ask a colleague to take over.",
        "de": "Ich bitte eine Kollegin oder einen Kollegen, zu übernehmen.",
        "fr": "Je demande à un collègue de prendre le relais.",
    },
    "refused": {
        "en": "I can't help with that here.",
        "de": "Dabei kann ich hier nicht helfen.",
        "fr": "Je ne peux pas vous aider sur ce point.",
    },
    "no_eyes": {
        "en": "I'm the built-in local model and can't see pictures, so I don't know what you are showing me.",
        "de": "Ich bin das eingebaute lokale Modell und sehe keine Bilder; was Sie mir zeigen, weiß ich also nicht.",
        "fr": "Je suis le modèle local intégré et je ne vois pas les images : je ne sais donc pas ce que vous montrez.",
    },
    "rehearsed": {
        "en": "(A test: nothing was done.)",
        "de": "(Ein Test: nichts getan.)",
        "fr": "(Un test : rien fait.)",
    },
}


def say(phrase: str, language: str = "en", **values: str) -> str:
    """A phrase in a language, English where it isn't known in that one."""
    spoken = _PHRASES[phrase]
    return spoken.get(language, spoken["en"]).format(**values)
