"""What an agent sees in a session: it looks when it is asked to, and only then."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Final

from agents.content.runtime import Vision
from agents.engine.images import LabelledImage
from agents.engine.slots import language_of
from tenants.context import current_tenant
from tenants.flags.current import is_enabled_async
from tenants.flags.evaluation import NO_CONTEXT, Context
from voice_worker.providers.entitlements import PREMIUM_TIERS
from voice_worker.vision.asking import wants_to_see
from voice_worker.vision.buffer import ADVANCED_SIDE, PLAIN_SIDE, FrameBuffer
from voice_worker.vision.watching import watch_tracks

if TYPE_CHECKING:
    from livekit import rtc

ADVANCED_FLAG: Final = "advanced_vision_analysis"


class Eyes:
    """Keeps what is shown in a room, and hands it out with the questions that ask about it.

    Args:
        vision: the release's.
        is_advanced: whether pictures are large (`sees_more`).
    """

    def __init__(
        self, vision: Vision, *, is_advanced: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._vision = vision
        self._clock = clock
        self._has_just_looked = False
        self.buffer = FrameBuffer(
            longest=ADVANCED_SIDE if is_advanced else PLAIN_SIDE, frames_per_second=vision.frames_per_second
        )

    @contextlib.asynccontextmanager
    async def watch(self, room: rtc.Room) -> AsyncIterator[None]:
        """Keep frames of a room's screen shares and cameras while this is open; none where the release has no eyes."""
        if not self._vision.enabled:
            yield
            return
        try:
            async with watch_tracks(room, self.buffer, clock=self._clock):
                yield
        finally:
            self.buffer.clear()

    async def see(self, question: str, language: str = "en") -> tuple[LabelledImage, ...]:
        """What goes to the model with a question: nothing, unless it asks about what is shown.

        Args:
            language: the session's; a question in another is understood as well.
        """
        if not self._vision.enabled:
            return ()
        asks = any(
            wants_to_see(question, spoken, has_just_looked=self._has_just_looked)
            for spoken in {language, language_of(question)}
        )
        images = await self.look() if asks else ()
        self._has_just_looked = bool(images)
        return images

    @property
    def are_open(self) -> bool:
        """Whether the release has eyes at all."""
        return self._vision.enabled

    @property
    def has_something(self) -> bool:
        """Whether a look would show anything."""
        return self._vision.enabled and self.buffer.holds_any(now=self._clock())

    async def look(self) -> tuple[LabelledImage, ...]:
        """The newest pictures of what is shown, whoever wants to see them."""
        images = await self.buffer.look(self._vision.most_frames, now=self._clock())
        self._has_just_looked = bool(images)
        return tuple(images)


async def sees_more(context: Context = NO_CONTEXT) -> bool:
    """Whether the tenant in force may have large pictures: by its service tier, and by the flag that is on for it.

    Args:
        context: who talks to which agent, for flags that ask.

    Raises:
        TenantNotSet: outside any tenant.
    """
    return current_tenant().tier in PREMIUM_TIERS and await is_enabled_async(ADVANCED_FLAG, context)
