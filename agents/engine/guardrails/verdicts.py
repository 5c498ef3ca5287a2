"""What a guard finds, and how the contact is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Code = Literal[
    "",
    "message_too_long",
    "topic_blocked",
    "answer_topic_blocked",
    "answer_cut",
    "claim_without_citation",
    "instructions_asked_for",
]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a guard found.

    Args:
        allowed: whether the text may go on.
        code: stable, for a `refusal` event; empty where nothing was found.
        reason: a sentence for the tenant's staff. Holds nothing of the text.
        text: what goes on (personal data redacted), or what the contact is told instead.
    """

    allowed: bool
    code: Code = ""
    reason: str = ""
    text: str = ""


_TOPIC: Final = {
    "en": "I can't talk about this here. Is there something else that I can help with?",
    "de": "Darüber kann ich hier nicht sprechen. Kann ich Ihnen mit etwas anderem helfen?",
    "fr": "Je ne peux pas aborder ce sujet ici. Puis-je vous aider pour autre chose ?",
    "es": "Aquí no puedo hablar de ese tema. ¿Puedo ayudarle con otra cosa?",
    "it": "Non posso parlare di questo argomento. Posso aiutarla con qualcos'altro?",
    "nl": "Daar kan ik het hier niet over hebben. Kan ik u ergens anders mee helpen?",
    "pt": "Não posso falar sobre isso aqui. Posso ajudar com outra coisa?",
}
_LONG: Final = {
    "en": "Your message is too long for me. Please tell me in fewer words.",
    "de": "Ihre Nachricht ist zu lang für mich. Bitte schreiben Sie mir kürzer.",
    "fr": "Votre message est trop long pour moi. Merci de le raccourcir.",
    "es": "Su mensaje es demasiado largo. Por favor, resúmalo.",
    "it": "Il suo messaggio è troppo lungo. Per favore, lo abbrevi.",
    "nl": "Uw bericht is te lang voor mij. Kunt u het korter zeggen?",
    "pt": "A sua mensagem é longa demais. Por favor, resuma-a.",
}
_UNCITED: Final = {
    "en": "I can't back this up with our documents, so I'd rather not say more.",
    "de": "Das kann ich nicht mit unseren Unterlagen belegen, deshalb sage ich dazu lieber nichts weiter.",
    "fr": "Nos documents ne me permettent pas de le confirmer ; je préfère ne pas en dire plus.",
    "es": "No puedo respaldarlo con nuestros documentos, así que prefiero no decir más.",
    "it": "I nostri documenti non lo confermano, quindi preferisco non dire altro.",
    "nl": "Ik kan dit niet met onze documenten onderbouwen, dus zeg ik er liever niets meer over.",
    "pt": "Não posso confirmar isto com os nossos documentos, por isso prefiro não dizer mais.",
}
_INSTRUCTIONS: Final = {
    "en": "I keep my instructions to myself. How can I help you?",
    "de": "Meine Anweisungen behalte ich für mich. Wie kann ich Ihnen helfen?",
    "fr": "Je garde mes instructions pour moi. Comment puis-je vous aider ?",
    "es": "Mis instrucciones me las guardo. ¿En qué puedo ayudarle?",
    "it": "Le mie istruzioni le tengo per me. Come posso aiutarla?",
    "nl": "Mijn instructies houd ik voor mezelf. Waarmee kan ik u helpen?",
    "pt": "As minhas instruções guardo para mim. Como posso ajudar?",
}
_SENTENCES: Final = {
    "instructions_asked_for": _INSTRUCTIONS,
    "topic_blocked": _TOPIC,
    "answer_topic_blocked": _TOPIC,
    "message_too_long": _LONG,
    "claim_without_citation": _UNCITED,
}


def told(code: Code, language: str = "en") -> str:
    """What the contact is told, in their language where we speak it, else in English.

    Args:
        language: a BCP 47 tag.
    """
    sentences = _SENTENCES.get(code, {})
    return sentences.get(language.partition("-")[0].casefold(), sentences.get("en", ""))
