"""One test case held with a release: its turns one after the other, each answer judged, each model call metered."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from agents.content.testcase import CaseContent, CaseTurn, Expectation, Judge
from agents.engine.events import usage_in
from agents.engine.gateway import ModelFailed, Role
from agents.engine.judge import JudgeUnclear, Judging
from agents.engine.turn import TurnRequest, run_turn
from agents.expectations import Heard, Outcome, evaluate, outcome, skipped
from agents.models import TestResult
from agents.releases import ResolvedRelease
from billing.domain.usage import Usage, record_usage
from knowledge.models import Document
from switchboard.kernel.database import OUTAGES, in_database
from switchboard.kernel.ids import uuid7

logger = logging.getLogger(__name__)

NO_JUDGE: Final = "The release's runtime config names no judge model."
_LONGEST_KEPT: Final = 20_000  # characters of an answer that a result keeps


@dataclass(slots=True)
class CaseOutcome:
    """What a case came to.

    Args:
        turns: of each turn what was said, the answer, its citations, tool calls and routes, and the outcomes.
        error_code: why it couldn't be judged; empty where it was.
    """

    status: str = TestResult.Status.PASSED
    turns: list[dict[str, Any]] = field(default_factory=list)
    error_code: str = ""
    error_detail: str = ""
    duration_ms: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


class _CannotJudge(Exception):
    """The case has no verdict: a model failed."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


async def hold(release: ResolvedRelease, result: TestResult, *, attempt: int, seconds: float) -> CaseOutcome:
    """Hold a case's conversation and judge it. What goes wrong is in the outcome; only the database's absence is
    raised.

    Args:
        attempt: which worker this is; part of what its model calls are metered under.
        seconds: for the whole of it.
    """
    case = _Case(release, result, attempt)
    started = time.monotonic()
    try:
        async with asyncio.timeout(seconds):
            await case.run()
    except _CannotJudge as failure:
        case.fail(failure.code, failure.detail)
    except TimeoutError:
        case.fail("case_timeout", f"The case took longer than {seconds:g} seconds.")
    except OUTAGES:
        raise
    except Exception:
        logger.exception("a test case failed on our side")
        case.fail("internal_error", "Something went wrong on our side. It was logged; try again.")
    case.outcome.duration_ms = round((time.monotonic() - started) * 1000)
    return case.outcome


class _Case:
    def __init__(self, release: ResolvedRelease, result: TestResult, attempt: int) -> None:
        self._release = release
        self._content = CaseContent.model_validate({"turns": result.snapshot["turns"]})
        self._judge_optional = bool(result.snapshot.get("judge_optional"))
        self._key = f"test:{result.pk}:{attempt}"
        self._calls = 0
        # What a case begins and confirms is found again by its later turns, and by nobody else.
        self._conversation_id = uuid7()
        self._history: list[tuple[Role, str]] = []
        self.outcome = CaseOutcome()

    async def run(self) -> None:
        for turn in self._content.turns:
            await self._hold_turn(turn)
        verdicts = {judged["verdict"] for turn in self.outcome.turns for judged in turn["outcomes"]}
        if "failed" in verdicts:
            self.outcome.status = TestResult.Status.FAILED
        elif "skipped" in verdicts and not self._judge_optional:
            self.outcome.status = TestResult.Status.SKIPPED

    def fail(self, code: str, detail: str) -> None:
        self.outcome.status = TestResult.Status.ERROR
        self.outcome.error_code, self.outcome.error_detail = code, detail

    async def _hold_turn(self, turn: CaseTurn) -> None:
        heard = Heard()
        judged: list[dict[str, str]] = []
        kept: dict[str, Any] = {"say": turn.say, "outcomes": judged}
        self.outcome.turns.append(kept)
        try:
            await self._answer(turn.say, heard)
        finally:
            kept.update(
                answer=heard.answer.strip()[:_LONGEST_KEPT],
                citations=heard.citations,
                tool_calls=heard.tool_calls,
                routes=heard.routes,
            )
        if heard.error is not None:
            raise _CannotJudge(*heard.error)
        filenames = await in_database(_filenames, [cited["document"] for cited in heard.citations])
        for expectation in turn.expect:
            found = await self._judged(expectation, turn, heard, filenames)
            # One by one: what was judged is kept if the next one fails.
            judged.append(found.as_dict())
        self._history += [("contact", turn.say), ("agent", heard.answer.strip())]

    async def _answer(self, say: str, heard: Heard) -> None:
        request = TurnRequest(
            self._release, tuple(self._history), say, conversation_id=self._conversation_id, is_rehearsal=True
        )
        try:
            async with contextlib.aclosing(run_turn(request)) as happening:
                async for event in happening:
                    heard.take(event)
                    if event.kind == "usage":
                        await self._meter(usage_in(event))
        finally:
            for used in await request.meter.cut_off():
                await self._meter(used)

    async def _judged(
        self, expectation: Expectation, turn: CaseTurn, heard: Heard, filenames: dict[str, str]
    ) -> Outcome:
        if not isinstance(expectation, Judge):
            return evaluate(expectation, heard, filenames=filenames)
        choice = self._release.runtime.judge
        if choice is None:
            return skipped(expectation, NO_JUDGE)
        judging = Judging(choice=choice)
        try:
            found = await judging.ask(
                rubric=expectation.rubric, history=self._history, question=turn.say, answer=heard.answer.strip()
            )
        except ModelFailed as failure:
            raise _CannotJudge(failure.code, f"The judge failed: {failure.detail}") from None
        except JudgeUnclear:
            raise _CannotJudge("judge_unclear", "The judge said neither yes nor no.") from None
        finally:
            for used in judging.usages:
                await self._meter(used)
        return outcome(expectation, found.is_met, found.reason)

    async def _meter(self, used: Usage) -> None:
        self._calls += 1
        self.outcome.input_tokens += used.input_tokens
        self.outcome.output_tokens += used.output_tokens
        await in_database(
            record_usage,
            usage=used,
            idempotency_key=f"{self._key}:{self._calls}",
            release_id=self._release.id,
        )


def _filenames(document_ids: Iterable[str]) -> dict[str, str]:
    """Filenames by id; a citation itself carries its document's id and title."""
    wanted = set(document_ids)
    if not wanted:
        return {}
    return {str(pk): name for pk, name in Document.objects.filter(pk__in=wanted).values_list("pk", "filename")}
