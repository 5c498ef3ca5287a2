"""What the agent of a call sees, for what is written meanwhile: that is answered by another process, which asks.

A question goes out over pub/sub. Where nobody listens nothing is shown, and no answer waits; else the pictures come
back in a list that nobody but the asker knows of, and that ends by itself within seconds.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import contextvars
import functools
import json
import logging
import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from redis.exceptions import RedisError

from agents.engine.images import LabelledImage, Look, See, Seen
from conversations.events.hub import hub
from switchboard.kernel import lifespan
from switchboard.kernel.redis import async_redis
from tenants.context import tenant_key

logger = logging.getLogger(__name__)

# Pictures are made in a tenth of a second. Whoever wrote waits no longer for a worker that hangs.
_PATIENCE_SECONDS: Final = 2
_LIFE_SECONDS: Final = 10


@contextlib.asynccontextmanager
async def shown_to_writers(conversation_id: uuid.UUID, see: See, look: Look) -> AsyncIterator[None]:
    """Tell whoever asks what is seen, for as long as this is open; the conversation is one of the tenant in force."""
    context = contextvars.copy_context()

    def asked(text: str) -> None:
        context.run(functools.partial(lifespan.spawn, _tell(text, see, look), name=f"look for {conversation_id}"))

    async with hub().watching(_channel(conversation_id), asked):
        yield


async def see_across(conversation_id: uuid.UUID, question: str) -> Seen:
    """What a call's agent sees that belongs to a question, wherever that agent is.

    Raises:
        RedisError, OSError: Redis is away.
        TimeoutError: whoever sees doesn't answer.
    """
    images, is_more_to_see = await _ask(conversation_id, question)
    return images, functools.partial(_look_across, conversation_id) if is_more_to_see else None


async def _look_across(conversation_id: uuid.UUID) -> Sequence[LabelledImage]:
    try:
        images, _ = await _ask(conversation_id, None)
    except (RedisError, OSError, TimeoutError):
        logger.warning("a model's look at what is shown failed", exc_info=True)
        return ()
    return images


async def _ask(conversation_id: uuid.UUID, question: str | None) -> tuple[Sequence[LabelledImage], bool]:
    """Pictures, and whether there is something to look at besides.

    Args:
        question: None to be shown what there is, whatever the question was.
    """
    reply_to = tenant_key("shown", conversation_id, uuid.uuid4())
    asked = json.dumps({"reply_to": reply_to, "question": question})
    async with asyncio.timeout(2 * _PATIENCE_SECONDS):
        if not await async_redis().publish(_channel(conversation_id), asked):
            return (), False
        # Its types are those of the client that doesn't wait, too.
        reply: list[str] | None = await async_redis().blpop([reply_to], timeout=_PATIENCE_SECONDS)  # type: ignore[misc]
    if reply is None:
        raise TimeoutError("nobody told what is shown")
    told = json.loads(reply[1])
    return [_decoded(image) for image in told["images"]], told["is_more_to_see"]


async def _tell(text: str, see: See, look: Look) -> None:
    asked = json.loads(text)
    images, more = await see(asked["question"]) if asked["question"] is not None else (await look(), None)
    told = json.dumps({"images": [_encoded(image) for image in images], "is_more_to_see": more is not None})
    async with async_redis().pipeline() as pipeline:
        pipeline.rpush(asked["reply_to"], told)
        pipeline.expire(asked["reply_to"], _LIFE_SECONDS)
        await pipeline.execute()


def _channel(conversation_id: uuid.UUID) -> str:
    return tenant_key("conversation", conversation_id, "look")


def _encoded(image: LabelledImage) -> dict[str, Any]:
    return {**image.described(), "jpeg": base64.b64encode(image.jpeg).decode()}


def _decoded(told: dict[str, Any]) -> LabelledImage:
    return LabelledImage(told["label"], base64.b64decode(told["jpeg"]), told["width"], told["height"])
