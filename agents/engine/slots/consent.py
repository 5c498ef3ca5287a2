"""Whether a message says yes or no, and nothing else."""

from __future__ import annotations

import re
from typing import Final

from agents.engine.slots.words import listed

_YES: Final = listed(
    "yes yep yeah yea yup sure ok okay okey correct right exactly absolutely definitely certainly perfect agreed "
    "confirm confirmed fine great y "
    "ja jawohl jo jep gerne genau richtig stimmt passt einverstanden okay klar sicher "
    "oui ouais parfait exact exactement bien volontiers accord "
    "sí si claro vale correcto va bene certo esatto"
)  # fmt: skip
_NO: Final = listed(
    "no nope nah never cancel stop wrong incorrect don't dont not abort forget n "
    "nein nee nö nicht abbrechen stopp falsch "
    "non pas annuler annulez arrêtez "
    "cancelar annulla"
)
# What may stand beside it without adding anything.
_BESIDE: Final = listed(
    "please thanks thank you very much that's thats that is it sounds good go ahead do so i would like to all looks "
    "book reserve make send the a table reservation booking for me us this now of course works with everything's "
    "will be let's lets course by means just absolutely oh well um hmm "
    "bitte danke das ist so alles gut machen sie mach es den tisch buchen buche reservieren in ordnung doch mal dann "
    "s'il vous plaît merci c'est ça d'accord allez-y très c'est bon tout faites-le réservez la le table "
    "por favor gracias grazie prego"
)
_YES_PHRASES: Final = (
    "go ahead", "do it", "please do", "sounds good", "book it", "of course", "that works", "that's it", "looks good",
    "no problem", "why not", "let's do it", "by all means", "please book", "in ordnung", "mach das", "machen sie das",
    "alles gut", "c'est ça", "c'est bon", "d'accord", "allez-y", "bien sûr", "👍", "✅",
)  # fmt: skip
_NO_PHRASES: Final = (
    "never mind", "nevermind", "cancel it", "cancel that", "leave it", "forget it", "forget about it", "not now",
    "changed my mind", "rather not", "lieber nicht", "doch nicht", "lass es", "lassen sie es", "vergiss es",
    "laissez tomber", "pas maintenant", "👎",
)  # fmt: skip
_NO_BESIDE: Final = listed(
    "i i've i'd we to want do would like need anymore any more mind changed my it that this now about more longer "
    "really sure don't ich will möchte wir wollen mehr es das je ne veux"
)
_WORD: Final = re.compile(r"[^\W_]+(?:['-][^\W_]+)*|👍|👎|✅")
_YES_WORDS: Final = frozenset(_YES)
_NO_WORDS: Final = frozenset(_NO)
_AROUND_YES: Final = frozenset(_BESIDE)
_AROUND_NO: Final = frozenset(_BESIDE) | frozenset(_NO_BESIDE)


def is_yes(text: str) -> bool:
    """Whether a text agrees without asking for anything else. "Yes, but at nine" doesn't."""
    plain, words = _read(text)
    if not words or "?" in text:
        return False
    rest, agreed = _without(plain, _YES_PHRASES)
    left = rest.split()
    return (
        not any(word in _NO_WORDS for word in left)
        and (agreed or any(word in _YES_WORDS for word in left))
        and all(word in _YES_WORDS or word in _AROUND_YES for word in left)
    )


def is_no(text: str) -> bool:
    """Whether a text declines without wanting something else instead. "No, at nine instead" is a correction: neither
    yes nor no."""
    plain, words = _read(text)
    if not words or is_yes(text):
        return False
    rest, declined = _without(plain, _NO_PHRASES)
    left = rest.split()
    return (
        not any(word in _YES_WORDS - _NO_WORDS - {"right", "ok", "okay", "sure", "fine", "si"} for word in left)
        and (declined or any(word in _NO_WORDS for word in left))
        and all(word in _NO_WORDS or word in _YES_WORDS or word in _AROUND_NO for word in left)
    )


def _read(text: str) -> tuple[str, list[str]]:
    words = _WORD.findall(text.lower().replace("\u2019", "'"))
    return " ".join(words), words


def _without(plain: str, phrases: tuple[str, ...]) -> tuple[str, bool]:
    """The words without the phrases, and whether there were any."""
    padded = f" {plain} "
    seen = False
    for phrase in phrases:
        if f" {phrase} " in padded:
            seen = True
            padded = padded.replace(f" {phrase} ", " ")
    return padded.strip(), seen
