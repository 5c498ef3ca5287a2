"""Questions for what is missing, and the sentence that says back what was understood."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from agents.engine.slots.fields import Kind, SlotField, field_of, fields_of

_QUESTIONS: Final[Mapping[str, Mapping[Kind, str]]] = {
    "en": {
        "date": "For which day?",
        "datetime": "For which day and at what time?",
        "time": "At what time?",
        "party": "For how many people?",
        "name": "What name may I put it under?",
        "email": "What is your e-mail address?",
        "phone": "What is your phone number?",
        "choice": "Which do you prefer for {title}: {options}?",
        "choices": "Which would you like for {title}: {options}?",
        "yesno": "{title}: yes or no?",
        "number": "{title}: how many?",
        "text": "{title}?",
    },
    "de": {
        "date": "Für welchen Tag?",
        "datetime": "Für welchen Tag und um welche Uhrzeit?",
        "time": "Um wie viel Uhr?",
        "party": "Für wie viele Personen?",
        "name": "Auf welchen Namen?",
        "email": "Wie lautet Ihre E-Mail-Adresse?",
        "phone": "Wie lautet Ihre Telefonnummer?",
        "choice": "{title}: {options}?",
        "choices": "{title}: {options}?",
        "yesno": "{title}: ja oder nein?",
        "number": "{title}: wie viele?",
        "text": "{title}?",
    },
    "fr": {
        "date": "Pour quel jour ?",
        "datetime": "Pour quel jour et à quelle heure ?",
        "time": "À quelle heure ?",
        "party": "Pour combien de personnes ?",
        "name": "À quel nom ?",
        "email": "Quelle est votre adresse e-mail ?",
        "phone": "Quel est votre numéro de téléphone ?",
        "choice": "{title} : {options} ?",
        "choices": "{title} : {options} ?",
        "yesno": "{title} : oui ou non ?",
        "number": "{title} : combien ?",
        "text": "{title} ?",
    },
    "es": {
        "date": "¿Para qué día?",
        "datetime": "¿Para qué día y a qué hora?",
        "time": "¿A qué hora?",
        "party": "¿Para cuántas personas?",
        "name": "¿A qué nombre?",
        "email": "¿Cuál es su correo electrónico?",
        "phone": "¿Cuál es su número de teléfono?",
        "choice": "{title}: ¿{options}?",
        "choices": "{title}: ¿{options}?",
        "yesno": "{title}: ¿sí o no?",
        "number": "{title}: ¿cuántos?",
        "text": "¿{title}?",
    },
    "it": {
        "date": "Per quale giorno?",
        "datetime": "Per quale giorno e a che ora?",
        "time": "A che ora?",
        "party": "Per quante persone?",
        "name": "A quale nome?",
        "email": "Qual è il suo indirizzo e-mail?",
        "phone": "Qual è il suo numero di telefono?",
        "choice": "{title}: {options}?",
        "choices": "{title}: {options}?",
        "yesno": "{title}: sì o no?",
        "number": "{title}: quanti?",
        "text": "{title}?",
    },
}
_OR: Final = {"en": "or", "de": "oder", "fr": "ou", "es": "o", "it": "o"}
_YES_NO: Final = {
    "en": ("yes", "no"), "de": ("ja", "nein"), "fr": ("oui", "non"), "es": ("sí", "no"), "it": ("sì", "no"),
}  # fmt: skip
# Why the question comes again.
_WHY: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "past": "That day has gone.",
        "no_such_date": "There is no such day.",
        "no_such_time": "There is no such time.",
        "several": "I understood more than one.",
        "refused": "That isn't possible here.",
    },
    "de": {
        "past": "Dieser Tag ist schon vorbei.",
        "no_such_date": "Diesen Tag gibt es nicht.",
        "no_such_time": "Diese Uhrzeit gibt es nicht.",
        "several": "Ich habe mehr als eine Angabe verstanden.",
        "refused": "Das ist hier nicht möglich.",
    },
    "fr": {
        "past": "Ce jour est passé.",
        "no_such_date": "Ce jour n'existe pas.",
        "no_such_time": "Cette heure n'existe pas.",
        "several": "J'ai compris plusieurs réponses.",
        "refused": "Ce n'est pas possible ici.",
    },
    "es": {
        "past": "Ese día ya pasó.",
        "no_such_date": "Ese día no existe.",
        "no_such_time": "Esa hora no existe.",
        "several": "He entendido más de una respuesta.",
        "refused": "Aquí no es posible.",
    },
    "it": {
        "past": "Quel giorno è passato.",
        "no_such_date": "Quel giorno non esiste.",
        "no_such_time": "Quell'ora non esiste.",
        "several": "Ho capito più di una risposta.",
        "refused": "Qui non è possibile.",
    },
}
_CONFIRM: Final = {
    "en": "{title}: {values}. Shall I go ahead?",
    "de": "{title}: {values}. Soll ich das so machen?",
    "fr": "{title} : {values}. Je m'en occupe ?",
    "es": "{title}: {values}. ¿Lo hago así?",
    "it": "{title}: {values}. Procedo?",
}
_PHRASES: Final[Mapping[str, Mapping[Kind, str]]] = {
    "en": {"date": "on {}", "time": "at {}", "party": "for {} people", "name": "in the name of {}"},
    "de": {"date": "am {}", "time": "um {} Uhr", "party": "für {} Personen", "name": "auf den Namen {}"},
    "fr": {"date": "le {}", "time": "à {}", "party": "pour {} personnes", "name": "au nom de {}"},
    "es": {"date": "el {}", "time": "a las {}", "party": "para {} personas", "name": "a nombre de {}"},
    "it": {"date": "{}", "time": "alle {}", "party": "per {} persone", "name": "a nome di {}"},
}
_ONE_PERSON: Final = {
    "en": "for one person", "de": "für eine Person", "fr": "pour une personne", "es": "para una persona",
    "it": "per una persona",
}  # fmt: skip
_DAYS: Final = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "de": "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
    "it": "lunedì martedì mercoledì giovedì venerdì sabato domenica",
}
_MONTHS: Final = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
}
_DATE: Final = {
    "en": "{day} {number} {month} {year}",
    "de": "{day}, {number}. {month} {year}",
    "fr": "{day} {number} {month} {year}",
    "es": "{day} {number} de {month} de {year}",
    "it": "{day} {number} {month} {year}",
}


def question_for(schema: Mapping[str, Any], field: str, language: str, *, why: str = "") -> str:
    """The question that asks for one property.

    Args:
        why: as `Filled.unclear` gives it, where the question is asked again.
    """
    one = field_of(schema, field)
    spoken = language if language in _QUESTIONS else "en"
    told = _WHY[spoken].get(why, "")
    return f"{told} {_question(one, field, spoken)}".strip()


def confirmation_for(schema: Mapping[str, Any], values: Mapping[str, Any], language: str, title: str) -> str:
    """What would be done, with every value in words, and whether to.

    Args:
        title: of the tool, such as "Book a table".
    """
    spoken = language if language in _CONFIRM else "en"
    fields = fields_of(schema)
    alone = {one.kind for one in fields if sum(one.kind == other.kind for other in fields) == 1}
    known = [one for one in fields if values.get(one.name) is not None]
    said = [_phrase(one, values[one.name], spoken, is_alone=one.kind in alone) for one in known]
    said += [f"{name}: {value}" for name, value in values.items() if name not in {one.name for one in fields}]
    return _CONFIRM[spoken].format(title=title, values=", ".join(said) or "-")


def in_words(one: SlotField, value: Any, language: str) -> str:
    """One value as it is said."""
    match one.kind:
        case "date":
            return _day(str(value), language)
        case "datetime":
            day, _, clock = str(value).partition("T")
            return f"{_day(day, language)} {clock[:5]}"
        case "yesno":
            return _YES_NO[language][0 if value else 1]
        case "choice":
            return next((option.title for option in one.options if option.value == value), str(value))
        case "choices" if isinstance(value, list):
            titles = {str(option.value): option.title for option in one.options}
            return " + ".join(titles.get(str(each), str(each)) for each in value)
    return str(value)


def _question(one: SlotField | None, name: str, language: str) -> str:
    if one is None:
        return _QUESTIONS[language]["text"].format(title=_capital(name.replace("_", " ")))
    own = one.schema.get("x-question")
    if isinstance(own, Mapping):
        own = own.get(language) or (own.get("en") if language == "en" else None)
    if isinstance(own, str) and own.strip():
        return own.strip()
    titles = [option.title for option in one.options]
    options = f" {_OR[language]} ".join([", ".join(titles[:-1]), titles[-1]] if len(titles) > 1 else titles)
    title = one.title(language)
    template = _QUESTIONS[language][one.kind]
    return template.format(title=title if template.find("{title}") else _capital(title), options=options)


def _phrase(one: SlotField, value: Any, language: str, *, is_alone: bool) -> str:
    said = in_words(one, value, language)
    if one.kind == "party" and is_alone and value == 1:
        return _ONE_PERSON[language]
    if is_alone and one.kind in _PHRASES[language]:
        return _PHRASES[language][one.kind].format(said)
    return f"{one.title(language)}: {said}"


def _day(value: str, language: str) -> str:
    try:
        day = dt.date.fromisoformat(value)
    except ValueError:
        return value
    return _DATE[language].format(
        day=_DAYS[language].split()[day.weekday()],
        number="1er" if language == "fr" and day.day == 1 else day.day,
        month=_MONTHS[language].split()[day.month - 1],
        year=day.year,
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
