"""A tenant that may reach one address, and an ear for what a model there says."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

from agents.engine import models
from billing.domain.usage import Usage
from tenants.context import Scope, use_tenant


@contextmanager
def allowing(address: str, settings: Any) -> Iterator[None]:
    """A tenant in force, on an installation whose operator allows `host:port` and nothing else of loopback."""
    settings.EGRESS_ALLOW = [address]
    _forget()
    with use_tenant(Scope("t_models", uuid.uuid4())):
        yield
    _forget()


def _forget() -> None:
    models.egress_policy.cache_clear()
    models.forget_clients()


async def hear(pieces: AsyncIterator[str | Usage]) -> tuple[str, Usage | None]:
    """The whole of an answer, and what it used."""
    text, usage = "", None
    async for piece in pieces:
        if isinstance(piece, Usage):
            usage = piece
        else:
            text += piece
    return text, usage
