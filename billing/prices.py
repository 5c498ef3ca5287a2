"""What a model call costs, by a snapshot of the providers' price lists that comes with the genai-prices library.

Nothing is fetched: a price changes when the library is brought up to date, and what was booked stays as it was booked.
"""

from __future__ import annotations

import functools
from decimal import Decimal
from typing import Any, Final

_DIGITS: Final = Decimal("0.00000001")  # what the ledger holds
_MOST: Final = Decimal(10) ** 7  # dollars; a count that costs more is no count
# The families by the names they have there; anything else is found by its address, or has no known price.
_KNOWN: Final = frozenset({"openai", "anthropic", "google", "groq"})


def cost_of(
    *,
    provider: str,
    model: str,
    input_tokens: int,
    output_tokens: int,
    cached_tokens: int = 0,
    input_audio_tokens: int = 0,
    output_audio_tokens: int = 0,
    base_url: str = "",
) -> Decimal | None:
    """US dollars, or None where no price is known: a guess would be taken for the truth.

    The first call of a process loads the lists, which takes half a second; see `load`.

    Args:
        provider: `openai`, `anthropic`, `google`, `groq`, or anything with its `base_url`.
        cached_tokens: of the input, those that the provider had in its cache.
        input_audio_tokens: of the input, those that are sound.
        output_audio_tokens: of the output, those that are sound.
    """
    seller = _seller(provider, base_url)
    if seller is None or not _is_listed(model, **seller):
        return None
    from genai_prices import Usage, calc_price

    used = Usage(
        input_tokens=max(input_tokens, cached_tokens),
        output_tokens=output_tokens,
        cache_read_tokens=cached_tokens,
        input_audio_tokens=input_audio_tokens or None,
        output_audio_tokens=output_audio_tokens or None,
    )
    price = calc_price(used, model, **seller).total_price
    return price.quantize(_DIGITS) if price < _MOST else None


@functools.cache
def load() -> None:
    """Read the price lists now, in a thread that may take its time, rather than with the first call."""
    _is_listed("gpt-4.1-mini", provider_id="openai")


def is_loaded() -> bool:
    """Whether `load` has been through."""
    return load.cache_info().currsize > 0


def _seller(provider: str, base_url: str) -> dict[str, Any] | None:
    if provider in _KNOWN:
        return {"provider_id": provider}
    return {"provider_api_url": base_url} if base_url else None


@functools.lru_cache(maxsize=4096)
def _is_listed(model: str, **seller: Any) -> bool:
    """Whether the lists have a price for a model: a search through all of them, so it is made once."""
    from genai_prices import Usage, calc_price

    try:
        calc_price(Usage(input_tokens=1, output_tokens=1, cache_read_tokens=0), model, **seller)
    except (LookupError, ValueError, ArithmeticError):  # unknown, or sold by something else than tokens
        return False
    return True
