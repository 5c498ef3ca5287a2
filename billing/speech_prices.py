"""What hearing and speaking cost: list prices for pay-as-you-go, by hand, each with its day and its source.

Speech is sold by the minute or the character, which `billing.prices`' library knows of few providers. Cartesia,
ElevenLabs and Rime sell credits of a plan, so that a character has no price of its own: theirs is unknown here.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

_DIGITS: Final = Decimal("0.00000001")  # what the ledger holds
_MOST: Final = Decimal(10) ** 7  # dollars; a count that costs more is no count
_PER: Final = {"second": Decimal(1), "minute": Decimal(60), "hour": Decimal(3600), "million": Decimal(10) ** 6}


@dataclass(frozen=True, slots=True)
class SpeechPrice:
    """A list price.

    Args:
        model: of the provider; or the beginning of several models' names, where it ends in `*`.
        unit: what is counted: `second` or `character`.
        usd: US dollars for `per`: a second, a minute, an hour, or a million of the unit.
        since: the day from which it is known to hold.
    """

    provider: str
    model: str
    unit: str
    usd: Decimal
    per: str
    since: dt.date
    source: str

    def is_of(self, provider: str, model: str) -> bool:
        if self.provider != provider:
            return False
        return model.startswith(self.model[:-1]) if self.model.endswith("*") else model == self.model


_DEEPGRAM, _GOOGLE = "deepgram.com/pricing", "cloud.google.com/speech-to-text/pricing"
_GROQ, _OPENAI = "groq.com/pricing", "platform.openai.com/docs/pricing"
_DAY: Final = dt.date(2025, 11, 1)


def _price(provider: str, model: str, usd: str, per: str, source: str) -> SpeechPrice:
    unit = "character" if per == "million" else "second"
    return SpeechPrice(provider, model, unit, Decimal(usd), per, _DAY, source)


# A newer price is added below the older, which goes on to hold for the days before.
PRICES: Final = (
    # Streaming in one language. Several at once cost a fifth more, which the model's name doesn't tell.
    _price("deepgram", "nova-3*", "0.0077", "minute", _DEEPGRAM),
    _price("deepgram", "nova-2*", "0.0058", "minute", _DEEPGRAM),
    _price("google", "chirp*", "0.016", "minute", _GOOGLE),
    _price("google", "telephony", "0.016", "minute", _GOOGLE),
    _price("google", "latest_*", "0.024", "minute", _GOOGLE),
    # Groq bills ten seconds at least for each request; what is shorter costs more than is booked.
    _price("groq", "whisper-large-v3-turbo", "0.04", "hour", _GROQ),
    _price("groq", "whisper-large-v3", "0.111", "hour", _GROQ),
    _price("groq", "canopylabs/orpheus-v1-english", "22", "million", _GROQ),
    _price("groq", "canopylabs/orpheus-arabic-saudi", "40", "million", _GROQ),
    _price("groq", "playai-tts*", "50", "million", _GROQ),
    _price("openai", "whisper-1", "0.006", "minute", _OPENAI),
    # OpenAI's own estimate, for answers that come without a count of tokens.
    _price("openai", "gpt-4o-transcribe", "0.006", "minute", _OPENAI),
    _price("openai", "gpt-4o-mini-transcribe", "0.003", "minute", _OPENAI),
    _price("openai", "tts-1", "15", "million", _OPENAI),
    _price("openai", "tts-1-hd", "30", "million", _OPENAI),
)


def speech_cost_of(
    *, provider: str, model: str, quantity: Decimal, unit: str, on: dt.date | None = None
) -> Decimal | None:
    """US dollars, or None where no price is known: a guess would be taken for the truth.

    Args:
        provider: as it is known in the ledger; a tenant's own server has no price.
        unit: `second` or `character`.
        on: the day it was used; today if left out.
    """
    day = on or dt.datetime.now(dt.UTC).date()
    known = [price for price in PRICES if price.unit == unit and price.since <= day and price.is_of(provider, model)]
    if not known:
        return None
    newest = max(known, key=lambda price: price.since)
    cost = quantity * newest.usd / _PER[newest.per]
    return cost.quantize(_DIGITS) if cost < _MOST else None
