"""What needs no meaning to be looked up: greetings, thanks, and the wish for a person."""

from __future__ import annotations

import re
from typing import Final

_PERSON: Final = (
    r"(?:human|person|somebody|someone|anybody|anyone|agent|manager|supervisor|boss|representative|operator|colleague|"
    r"employee|advisor|receptionist|staff|people|member\s+of\s+(?:the\s+|your\s+)?(?:staff|team))"
)
_ESCALATE: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b(?:talk|speak|chat|connect|transfer|put)\b.{{0,30}}\b{_PERSON}\b",
        rf"\b(?:real|live|actual)\s+{_PERSON}\b|\b(?:human|agent|operator|manager|representative)\s*,?\s*please\b",
        r"^\W*(?:a\s+)?(?:human|agent|operator|representative|manager)\W*$|\b(?:get|give|want|need|find)\s+(?:me\s+)?an?\s+"
        r"(?:human|real\s+\w+|person|operator|manager)\b",
        r"\bnot\s+(?:a\s+|with\s+a\s+)?(?:bot|robot|machine)\b|\b(?:stupid|useless|dumb|damn)\s+(?:bot|robot|machine)\b",
        r"\bcall\s+me\s+back\b|\bring\s+me\s+back\b",
        r"\b(?:file|make|lodge|submit)\s+a\s+(?:formal\s+)?complaint\b|\b(?:want|like|have)\s+to\s+complain\b",
        r"\b(?:outrageous|unacceptable|disgrace|disgraceful|disgusting|furious|scandal(?:ous)?|ridiculous|appalling)\b",
        r"\bworst\s+(?:\w+\s+)?(?:ever|experience|service|hotel|restaurant|company)\b|\bmy\s+lawyer\b|\bsue\s+you\b",
        r"\b(?:menschen|mitarbeiter(?:in)?|chef|person|jemandem)\s+"
        r"(?:sprechen|reden|verbinden)\b|\bverbinden\s+sie\s+mich\b|"
        r"\bruf\w*\s+(?:sie\s+)?mich\s+(?:bitte\s+)?(?:zurück|an)\b",
        r"\b(?:unverschämt(?:heit)?|frechheit|unmöglich\s+von\s+ihnen|beschweren|inakzeptabel|skandal)\b",
        r"\bparler\s+(?:à|a|avec)\s+(?:un|une|quelqu'un|le|la|votre)\b|\b(?:inadmissible|scandaleux|inacceptable|honteux)\b",
        r"\b(?:porter\s+plainte|me\s+plaindre)\b|\bun\s+(?:humain|conseiller|responsable)\b",
        r"\bhablar\s+con\s+(?:una?\s+persona|alguien|el\s+encargado|un\s+agente)\b|\b(?:inaceptable|vergüenza)\b",
        r"\bparlare\s+con\s+(?:una\s+persona|qualcuno|un\s+operatore|il\s+responsabile)\b|\b(?:inaccettabile|vergogna)\b",
    )
)
_TALK: Final = (
    "hi hello hey hiya howdy greetings morning evening afternoon good day night thanks thank thx cheers you very "
    "much lot so a bye goodbye see later soon cool nice great awesome ok okay perfect wonderful lovely have "
    "there everyone all "
    "team well haha lol hmm that was helpful helped is fine to meet welcome no problem got it alright yes yep sure "
    "hallo guten tag morgen abend moin servus grüß gott danke vielen dank schön tschüss wiedersehen auf bis bald super "
    "bonjour bonsoir salut coucou merci beaucoup bien au revoir à bientôt parfait "
    "hola buenos buenas días tardes noches gracias muchas adiós hasta luego "
    "ciao buongiorno buonasera salve grazie mille arrivederci prego"
)
_TALK_WORDS: Final = frozenset(_TALK.split())
_TALK_PHRASES: Final = re.compile(
    r"\bhow\s+(?:are|r)\s+(?:you|u|things)\b|\bhow's\s+it\s+going\b|\bwhat's\s+up\b|\bwhat(?:'s|\s+is)\s+your\s+name\b|"
    r"\bwho\s+(?:are|made|built|created)\s+you\b|\bare\s+you\s+(?:a\s+|an\s+)?(?:robot|bot|human|real|machine|ai|person)\b|"
    r"\bnice\s+to\s+meet\s+you\b|\byou(?:'re|\s+are)\s+(?:\w+\s+)?(?:great|funny|nice|awesome|the\s+best|helpful|smart)\b|"
    r"\bthat's\s+(?:funny|great|nice|cool)\b|\bhave\s+a\s+(?:nice|good|great|lovely)\s+\w+\b|"
    r"\bwie\s+geht(?:'s|\s+es)?\b|\bwer\s+bist\s+du\b|\bwie\s+heißen?\s+(?:du|sie)\b|\bbist\s+du\s+ein\s+\w+\b|"
    r"\bça\s+va\b|\bcomment\s+(?:allez|vas)\b|\bqui\s+es\b|\bcómo\s+estás?\b|\bcome\s+(?:stai|sta|va)\b",
    re.IGNORECASE,
)
# Words that name no matter: a message of nothing else could be about anything.
_VAGUE: Final = (
    "i a an the have has had need want would like get some any more please help me my you your can could do does is "
    "it it's that this there to about of for with something anything thing things one other another question "
    "questions problem "
    "problems issue wrong information info know tell how much many long what when where which who why be possible able "
    "ask check change if are we us i'd i'm i've doesn't work works urgently options does everything include send "
    "tomorrow today sunday monday tuesday wednesday thursday friday saturday on at in and or "
    "was been mistake extra bring made discussed still "
    "ich habe hätte eine einen frage fragen problem hilfe brauche etwas wissen möchte was wie viel kostet das können "
    "sie mir helfen bitte ein es geht um geht nicht j'ai une un besoin d'aide aide pouvez vous m'aider s'il plaît "
    "combien ça coûte"
)
_VAGUE_WORDS: Final = frozenset(_VAGUE.split())
_WORD: Final = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_SHOUTED: Final = re.compile(r"^[^a-z]*[A-Z][^a-z]*[A-Z][^a-z]{12,}!+[^a-z]*$")


def wants_a_person(text: str) -> bool:
    """Whether a text asks for a person, or is so angry that one should see to it."""
    plain = _plain(text)
    return any(pattern.search(plain) for pattern in _ESCALATE) or bool(_SHOUTED.match(plain))


def is_small_talk(text: str) -> bool:
    """Whether a text greets, thanks or chats, and does nothing else."""
    plain = _plain(text)
    rest = _TALK_PHRASES.sub(" ", plain)
    words = _WORD.findall(rest.lower())
    return (bool(words) or rest != plain) and all(word in _TALK_WORDS for word in words)


def is_vague(text: str) -> bool:
    """Whether a text names no matter at all: "I have a question", "how much is it?"."""
    words = _WORD.findall(_plain(text).lower())
    return bool(words) and all(word in _VAGUE_WORDS for word in words)


def _plain(text: str) -> str:
    return text.replace("\u2019", "'").strip()
