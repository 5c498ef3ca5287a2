"""Which language a message is in, by its commonest words. Enough to choose the language of a question."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal

from agents.engine.slots.words import listed

Language = Literal["en", "de", "fr", "es", "it"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "de", "fr", "es", "it")

_WORDS: Final[Mapping[Language, frozenset[str]]] = {
    "en": frozenset(
        listed(
            """
                the a an and or is are was for of to in on at it you we i my me with what when how
                where who do does can could would like please have has this that there not be want
                need book table tomorrow today yes no thanks hello hi from your about tonight people
                much open
            """
        )
    ),
    "de": frozenset(
        listed(
            """
                der die das den dem ein eine einen einem und oder ist sind war für von zu im am auf
                mit was wann wie wo wer ich wir sie mein meine kann können möchte möchten bitte
                haben hat nicht es gibt heute morgen ja nein danke hallo um uhr tisch personen guten
                tag auch noch gern gerne buchen reservieren kostet abend zwei drei
            """
        )
    ),
    "fr": frozenset(
        listed(
            """
                le la les l un une des du de et ou est sont pour dans à au aux avec que quoi quand
                comment où qui je j nous vous mon ma mes c il y a ne pas peux puis voudrais veux
                s'il plaît avez oui non merci bonjour ce soir demain aujourd'hui réserver personnes
                heures combien quel quelle deux trois
            """
        )
    ),
    "es": frozenset(
        listed(
            """
                el la los las un una unos y o es son para en a al con que qué cuándo cómo dónde
                quién yo nosotros mi me puedo quiero quisiera por favor tiene tienen hay no sí
                gracias hola mañana hoy esta noche reservar mesa personas cuánto cuesta de del está
            """
        )
    ),
    "it": frozenset(
        listed(
            """
                il lo la i gli le un una uno e o è sono per in a al con che cosa quando come dove
                chi io noi mio mi posso vorrei voglio favore avete c'è non sì grazie ciao buongiorno
                domani oggi stasera prenotare tavolo persone quanto costa di del della
            """
        )
    ),
}
_LETTERS: Final[Mapping[Language, str]] = {"de": "äöüß", "fr": "çèêàâûîœ", "es": "ñ¿¡áíóú", "it": "ìò"}
_WORD: Final = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_ELIDED: Final = re.compile(r"(?<!\w)(?:j|l|d|c|n|s|m|t|qu)'(?=[^\W\d_])")


def language_of(text: str, *, default: Language = "en") -> Language:
    """The language that most of a text's words belong to; `default` where nothing tells."""
    words = [word.replace("\u2019", "'") for word in _WORD.findall(text.lower())]
    votes = {language: float(sum(word in common for word in words)) for language, common in _WORDS.items()}
    for language, letters in _LETTERS.items():
        votes[language] += sum(letter in letters for letter in text.lower())
    votes["fr"] += len(_ELIDED.findall(text.lower().replace("\u2019", "'")))
    best = max(LANGUAGES, key=lambda language: (votes[language], language == default))
    return best if votes[best] > 0 else default
