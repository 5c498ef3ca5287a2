"""What is said aloud of an answer, and the sentences a session says by itself."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterable
from typing import Final

# `[2]`, perhaps with the blank before it: a source is shown, not read out.
_SOURCE: Final = re.compile(r"\s?\[\d{1,3}\]")
# What may still become one once more has come.
_BEGINNING: Final = re.compile(r"\s?(\[\d{0,3})?\Z")

TROUBLE: Final = {
    "en": "I am sorry, something went wrong on our side. Please say that again.",
    "de": "Es tut mir leid, bei uns ist etwas schiefgegangen. Bitte sagen Sie das noch einmal.",
    "fr": "Je suis désolé, un problème est survenu de notre côté. Veuillez répéter.",
}
MOMENT: Final = {
    "en": "One moment, please.",
    "de": "Einen Moment, bitte.",
    "fr": "Un instant, s'il vous plaît.",
}
DEAF: Final = {
    "en": "I am sorry, I can't hear you well just now. Please say that again in a moment.",
    "de": "Es tut mir leid, ich verstehe Sie gerade schlecht. Bitte sagen Sie das gleich noch einmal.",
    "fr": "Je suis désolé, je vous entends mal en ce moment. Veuillez répéter dans un instant.",
}
WAITING: Final = {
    "en": "Hello. I am here for somebody who has yet to come, and begin when they do.",
    "de": "Guten Tag. Ich bin für jemanden hier, der noch kommt, und beginne dann.",
    "fr": "Bonjour. Je suis ici pour une personne qui n'est pas encore arrivée ; je commencerai avec elle.",
}
BACK: Final = {
    "en": "I am back; we were cut off for a moment.",
    "de": "Da bin ich wieder; wir waren kurz getrennt.",
    "fr": "Me revoilà ; nous avons été coupés un instant.",
}
GOODBYE: Final = {
    "en": "I am sorry, I have to end our call here. Goodbye.",
    "de": "Es tut mir leid, ich muss unser Gespräch hier beenden. Auf Wiederhören.",
    "fr": "Je suis désolé, je dois mettre fin à notre appel. Au revoir.",
}
LAST_SAID: Final = {
    "en": "You had said: “{said}”.",
    "de": "Sie hatten gesagt: „{said}“.",
    "fr": "Vous aviez dit : « {said} ».",
}


def sentence(choices: dict[str, str], language: str) -> str:
    """One of the sentences above, in a language such as `de` or `de-CH`; English where it isn't there."""
    return choices.get(language[:2].lower(), choices["en"])


def plain(text: str) -> str:
    """A whole answer without the numbers of its sources."""
    return _SOURCE.sub("", text).strip()


async def without_sources(text: AsyncIterable[str]) -> AsyncGenerator[str]:
    """Pieces of an answer without the numbers of its sources, wherever the pieces are cut."""
    held = ""
    async for piece in text:
        held = _SOURCE.sub("", held + piece)
        beginning = _BEGINNING.search(held)
        cut = beginning.start() if beginning else len(held)
        if cut:
            yield held[:cut]
        held = held[cut:]
    if held:
        yield held
