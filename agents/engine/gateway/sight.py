"""Models that take no pictures. No list tells which do: a refusal does, and is remembered for some minutes, so that not
every question costs one.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from agents.engine.gateway.failures import ModelFailed
from agents.engine.gateway.messages import ChatMessage
from agents.releases import Endpoint
from tenants.context import current_tenant

BLIND_SECONDS: Final = 600.0
_MOST: Final = 4096
# What servers answer where a model takes no pictures, or not these: most of them 400, some that they know of no such
# model with eyes (OpenRouter: 404), some that the type or the size is wrong.
_MAY_BE_PICTURES: Final = {400, 404, 413, 415, 422}
_NOT_SHOWN: Final = (
    "(The contact shows you {count} here, which you can't see: this model takes no pictures. Where they ask about what "
    "they show, say that you can't see it, and ask them to describe it.)"
)

_blind_until: OrderedDict[tuple[str, str, str, str], float] = OrderedDict()


def has_pictures(messages: Sequence[ChatMessage]) -> bool:
    """Whether any message shows something."""
    return any(message.images for message in messages)


def pictures_of(messages: Sequence[ChatMessage]) -> int:
    """How many pictures the messages hold."""
    return sum(len(message.images) for message in messages)


def in_words(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """The messages without their pictures; in their place it says that there were some."""
    return [_in_words(message) if message.images else message for message in messages]


def _in_words(message: ChatMessage) -> ChatMessage:
    count = len(message.images)
    told = _NOT_SHOWN.format(count=f"{count} pictures" if count > 1 else "a picture")
    return replace(message, text=f"{told}\n\n{message.text}", images=())


def may_be_refused_for_pictures(failure: ModelFailed) -> bool:
    """Whether a request that was refused so may be answered without its pictures."""
    return failure.status in _MAY_BE_PICTURES


def is_blind(endpoint: Endpoint, model: str) -> bool:
    """Whether a model refused pictures lately, and answered the same without."""
    return bool(_blind_until) and time.monotonic() < _blind_until.get(_name(endpoint, model), 0.0)


def note_blind(endpoint: Endpoint, model: str) -> None:
    """A model refused pictures, and answered without."""
    name = _name(endpoint, model)
    _blind_until[name] = time.monotonic() + BLIND_SECONDS
    _blind_until.move_to_end(name)
    while len(_blind_until) > _MOST:
        _blind_until.popitem(last=False)


def forget() -> None:
    """Every model may be shown pictures."""
    _blind_until.clear()


def _name(endpoint: Endpoint, model: str) -> tuple[str, str, str, str]:
    # By tenant, as the circuits are: the same name may lead elsewhere for another.
    return current_tenant().schema_name, endpoint.name, endpoint.base_url, model
