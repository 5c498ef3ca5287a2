"""One request at a time to the platform: pooled, timed, tried again where that has a chance."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from typing import Any, Final

import httpx2

# Worth another try: nothing is done twice, for what writes carries a key.
_PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_FIRST_WAIT: Final = 0.05
_LIMITS: Final = httpx2.Limits(max_connections=20, max_keepalive_connections=10, keepalive_expiry=60)


class Unavailable(Exception):
    """The platform is away, too slow, or answers nonsense.

    Args:
        retry_after: seconds that it asks for; 0 where it says nothing.
    """

    def __init__(self, reason: str, *, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Refused(Exception):
    """The platform says no, and would again."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code


class Door:
    """Asks the platform.

    Args:
        url: of the platform, with no path.
        key: a platform key of the scope `worker:operate`.
        timeout: seconds for one question, further tries included.
        attempts: tries for one question.
    """

    def __init__(self, url: str, key: str, *, timeout: float, attempts: int) -> None:
        self._http = httpx2.AsyncClient(
            base_url=url.rstrip("/"),
            headers={"authorization": f"Bearer {key}", "accept": "application/json"},
            timeout=httpx2.Timeout(timeout),
            limits=_LIMITS,
            follow_redirects=False,
        )
        self._timeout = timeout
        self._attempts = attempts

    async def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        attempts: int | None = None,
        timeout: float | None = None,
    ) -> dict[str, Any]:
        """The answer, a JSON object.

        Raises:
            Refused: 4xx.
            Unavailable: no answer in time, whatever was tried.
        """
        deadline = time.monotonic() + (timeout or self._timeout)
        left = attempts or self._attempts
        wait = _FIRST_WAIT
        while True:
            left -= 1
            try:
                return await self._once(method, path, params, body, deadline - time.monotonic())
            except Unavailable as away:
                pause = max(away.retry_after, wait * random.uniform(0.5, 1.5))  # noqa: S311 - no secret
                if left <= 0 or time.monotonic() + pause >= deadline:
                    raise
            await asyncio.sleep(pause)
            wait *= 2

    async def aclose(self) -> None:
        """Hang up."""
        await self._http.aclose()

    async def _once(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        body: Mapping[str, Any] | None,
        seconds: float,
    ) -> dict[str, Any]:
        try:
            async with asyncio.timeout(max(seconds, 0.001)):
                response = await self._http.request(method, path, params=params, json=body)
        except TimeoutError:
            raise Unavailable("no answer in time") from None
        except httpx2.HTTPError as error:
            raise Unavailable(f"{type(error).__name__}: {error}") from None
        status = response.status_code
        if status in _PASSING:
            raise Unavailable(f"HTTP {status}", retry_after=_seconds(response.headers.get("retry-after")))
        if status >= 400:
            problem = _object(response) or {}
            raise Refused(status, str(problem.get("code", "")), str(problem.get("detail", ""))[:300])
        found = _object(response)
        if status >= 300 or found is None:
            raise Unavailable(f"HTTP {status} with no JSON object: is this the platform?")
        return found


def _object(response: httpx2.Response) -> dict[str, Any] | None:
    try:
        found = response.json()
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _seconds(text: str | None) -> float:
    return min(float(text), 60.0) if text and text.isdigit() else 0.0
