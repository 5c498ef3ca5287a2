"""An answer by the first model of a chain that can give it, the next one taking over wherever one stops."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from typing import Final

from agents import releases
from agents.content.runtime import ModelChoice
from agents.engine.gateway import breaker, limits, metering, sight
from agents.engine.gateway.attempt import Attempt, Request
from agents.engine.gateway.failures import ModelFailed, failure_of
from agents.engine.gateway.messages import ChatMessage, Piece, ToolChoice, ToolOffer
from agents.engine.gateway.repeats import RepeatCutter
from agents.engine.models import Deadlines
from agents.models import ModelEndpoint
from agents.releases import Endpoint

TRIES: Final = 3
_TRIES_BEFORE_ANOTHER: Final = 2  # where the chain has a next one, waiting costs more than it may bring
_FIRST_PAUSE: Final = 0.3  # seconds; doubles, with jitter
_LONGEST_PAUSE: Final = 5.0
_GO_ON: Final = (
    "Your reply above was cut off by a technical fault, and the reader has seen it up to there. Go on from exactly "
    "where it stops, with the very next character, in the same language and form. Repeat nothing of it, and say "
    "nothing about the interruption."
)


async def stream_chat(
    *,
    chain: Sequence[ModelChoice],
    messages: Sequence[ChatMessage],
    tools: Sequence[ToolOffer] = (),
    tool_choice: ToolChoice = "auto",
    purpose: str = "answer",
    deadlines: Deadlines = Deadlines(),  # noqa: B008 - frozen
) -> AsyncGenerator[Piece]:
    """A model's answer, piece by piece, and what each attempt at it used.

    While nothing was shown, a model that fails in a way that may pass is tried again, and then the next of the chain
    is. Once text was shown, the next one (or the same one again) is asked to go on from there, and what it repeats is
    cut: no word is shown twice. Tool calls come when an answer is whole, so a broken one never has any.

    Args:
        chain: tried in order; choices of the built-in model, which can't chat, are left out.
        purpose: what the usage is booked under, such as `answer` or `route`.
        deadlines: `answer` is for all attempts together.

    Yields:
        Text, tool calls, and one `Usage` for each attempt that used anything, at its end; and a second one, of the
        service `vision`, where it was shown pictures.

    Raises:
        ModelFailed: see there; none of the chain could answer, or finish what one had begun.
    """
    run = _Run(Request(messages, tools, tool_choice, purpose, deadlines))
    models = [choice for choice in chain if choice.endpoint]
    failures: list[ModelFailed] = []
    for number, choice in enumerate(models, start=1):
        is_last = number == len(models)
        try:
            endpoint = await _endpoint(choice.endpoint)
            breaker.admit(endpoint)
        except ModelFailed as failure:
            failures.append(failure)
            continue
        for attempt in itertools.count(1):
            async with contextlib.aclosing(run.attempt(choice, endpoint)) as pieces:
                async for piece in pieces:
                    yield piece
            failed = run.failure
            if failed is None:
                return
            if run.may_go_without_pictures():
                continue
            if failed.code == "rate_limited":  # the tenant's own limit, whichever model it is
                raise failed
            if not run.may_repeat(endpoint, attempt, is_last=is_last):
                failures.append(failed)
                break
            await asyncio.sleep(_pause(attempt, failed.retry_after))
        if run.is_late:
            break
    raise _summary(failures)


class _Run:
    """What is common to the attempts at one answer."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._clock = asyncio.get_running_loop().time
        self._give_up = self._clock() + request.deadlines.answer
        self._shown: list[str] = []
        self._has_pictures = sight.has_pictures(request.messages)
        self._refused_pictures: set[tuple[str, str]] = set()
        self._asking: tuple[str, str] | None = None  # the model that was shown pictures last, if the last one was
        self.failure: ModelFailed | None = None  # of the last attempt

    @property
    def is_late(self) -> bool:
        return self._clock() >= self._give_up

    def may_repeat(self, endpoint: Endpoint, attempt: int, *, is_last: bool) -> bool:
        """Whether the same model is worth another attempt after the one that failed."""
        failure = self.failure
        if failure is None or not failure.may_pass or self.is_late or breaker.is_open(endpoint):
            return False
        if failure.code == "model_timeout" and not self._request.deadlines.has_second_chance:
            return False
        if is_last:
            return attempt < TRIES and self._clock() + _FIRST_PAUSE < self._give_up
        # Somebody is reading what was shown, or the provider asks for longer than the next one will take.
        return attempt < _TRIES_BEFORE_ANOTHER and not self._has_shown() and (failure.retry_after or 0.0) <= 1.0

    def may_go_without_pictures(self) -> bool:
        """Whether the model is to be asked at once again, without the pictures that it may have refused."""
        if self._asking is None or self.failure is None or not sight.may_be_refused_for_pictures(self.failure):
            return False
        self._refused_pictures.add(self._asking)
        return not self.is_late

    def _seen_by(self, choice: ModelChoice, endpoint: Endpoint, request: Request) -> Request:
        """What a model is sent: without the pictures where it takes none."""
        self._asking = None
        if not self._has_pictures:
            return request
        name = endpoint.name, choice.model
        if name in self._refused_pictures or sight.is_blind(endpoint, choice.model):
            return replace(request, messages=sight.in_words(request.messages))
        self._asking = name
        return request

    async def attempt(self, choice: ModelChoice, endpoint: Endpoint) -> AsyncGenerator[Piece]:
        """One attempt's pieces and its usage; `failure` tells afterwards how it went."""
        self.failure = None
        cutter = RepeatCutter("".join(self._shown)) if self._has_shown() else None
        request = self._seen_by(choice, endpoint, self._continued() if cutter else self._request)
        attempt = Attempt(choice, endpoint, request, self._give_up)
        ticket = None
        try:
            ticket = await limits.admit(tokens=attempt.tokens())
            async with contextlib.aclosing(attempt.pieces()) as pieces:
                async for piece in pieces:
                    if not isinstance(piece, str):
                        yield piece
                    elif text := cutter.feed(piece) if cutter else piece:
                        self._shown.append(text)
                        yield text
            if cutter and (text := cutter.end()):
                self._shown.append(text)
                yield text
            breaker.note_success(endpoint)
            if (endpoint.name, choice.model) in self._refused_pictures:
                sight.note_blind(endpoint, choice.model)
        except Exception as error:
            self.failure = failure_of(error, endpoint.name)
            breaker.note_failure(endpoint, self.failure)
        finally:
            await limits.settle(ticket, tokens=attempt.tokens())
        if self.failure is None or attempt.has_used:
            used = await attempt.usage()
            yield used
            if frames := sight.pictures_of(request.messages):
                yield metering.frames_of(used, frames)

    def _has_shown(self) -> bool:
        return any(not text.isspace() for text in self._shown)

    def _continued(self) -> Request:
        shown = ChatMessage("assistant", "".join(self._shown))
        messages = [*self._request.messages, shown, ChatMessage("user", _GO_ON)]
        return replace(self._request, messages=messages)


async def _endpoint(name: str) -> Endpoint:
    try:
        return await releases.endpoint_async(name)
    except ModelEndpoint.DoesNotExist:
        # Endpoints in use can't be deleted; one may be missing after a restore from an older backup.
        raise ModelFailed("model_endpoint_missing", f"There is no model endpoint named {name} any more.") from None


def _pause(attempt: int, retry_after: float | None) -> float:
    pause: float = _FIRST_PAUSE * 2**attempt * random.uniform(0.5, 1.0)  # noqa: S311
    return min(max(pause, retry_after or 0.0), _LONGEST_PAUSE)


def _summary(failures: Sequence[ModelFailed]) -> ModelFailed:
    """The failure of a whole chain: the code of the last one, and what each had to say."""
    if not failures:
        return ModelFailed("model_missing", "No language model is configured for this; the built-in one can't do it.")
    last = failures[-1]
    detail = " ".join(dict.fromkeys(failure.detail for failure in failures))
    return ModelFailed(last.code, detail, may_pass=last.may_pass, retry_after=last.retry_after, status=last.status)
