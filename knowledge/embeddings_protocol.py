"""OpenAI's embeddings protocol from the client's side: the request, the answer, and what a refusal means."""

from __future__ import annotations

import base64
import email.utils
import json
import random
import sys
import time
from array import array
from collections.abc import Sequence

import httpx2

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
_WORTH_RETRYING = {429, 502, 503, 504}
_SHORTENS = "text-embedding-3"


class EmbeddingsUnavailable(Exception):
    """The embedding service cannot be used at the moment, or not at all as it is configured.

    Attributes:
        code: stable: ``embeddings_unavailable``.
    """

    def __init__(self, detail: str = "The embedding service does not answer.", *, code: str = "embeddings_unavailable"):
        super().__init__(detail)
        self.code = code
        self.detail = detail


class BadEmbeddingsAnswer(Exception):
    """An answer without usable vectors. ``retry_after`` is in seconds, or None when another try is no use."""

    def __init__(self, detail: str, *, retry_after: float | None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Attempts:
    """How often and how long a call may be tried.

    Args:
        count: tries in all.
        seconds: time for all of them, pauses included.
    """

    def __init__(self, count: int, *, seconds: float) -> None:
        self._remaining = count
        self._deadline = time.monotonic() + seconds
        self._pause = _FIRST_PAUSE_SECONDS

    @property
    def left(self) -> float:
        """Seconds left, never less than a hundredth."""
        return max(0.01, self._deadline - time.monotonic())

    def pause_after(self, error: Exception) -> float:
        """Seconds to wait before the next try: what the server asked for, else growing, with jitter.

        Raises:
            EmbeddingsUnavailable: there is no next try.
        """
        self._remaining -= 1
        asked = error.retry_after if isinstance(error, BadEmbeddingsAnswer) else 0.0
        if asked is not None and self._remaining > 0:
            # Half of it fixed, half of it chance, so that clients that failed together do not return together.
            pause = asked + self._pause * (0.5 + 0.5 * random.random())  # noqa: S311 - not a secret
            self._pause = min(2 * self._pause, _LONGEST_PAUSE_SECONDS)
            if time.monotonic() + pause < self._deadline:
                return pause
        raise EmbeddingsUnavailable(_told(error)) from error


def request_body(texts: Sequence[str], *, model: str, dimensions: int) -> bytes:
    """The JSON of a request. Vectors are asked for in base64, a fifth of the size and a tenth of the work."""
    request: dict[str, object] = {"model": model, "input": list(texts), "encoding_format": "base64"}
    if model.startswith(_SHORTENS):
        request["dimensions"] = dimensions
    return json.dumps(request).encode()


def read_vectors(answer: httpx2.Response, *, count: int, dimensions: int) -> list[array[float]]:
    """The vectors of an answer, in the order of the inputs; numbers may come in base64 or as a list.

    Raises:
        BadEmbeddingsAnswer: it is a refusal, or does not hold ``count`` vectors of ``dimensions`` numbers.
    """
    if answer.status_code != 200:
        retry = _retry_after(answer) if answer.status_code in _WORTH_RETRYING else None
        raise BadEmbeddingsAnswer(f"The embedding service answered {answer.status_code}.", retry_after=retry)
    try:
        data = json.loads(answer.content)["data"]
        vectors = [_vector(item["embedding"]) for item in sorted(data, key=lambda item: item["index"])]
    except (ValueError, TypeError, KeyError) as error:
        detail = "The embedding service's answer is not an OpenAI embeddings list."
        raise BadEmbeddingsAnswer(detail, retry_after=None) from error
    if len(vectors) != count:
        detail = f"The embedding service sent {len(vectors)} vectors for {count} texts."
        raise BadEmbeddingsAnswer(detail, retry_after=None)
    if wrong := {len(vector) for vector in vectors} - {dimensions}:
        detail = f"The embedding service's vectors have {wrong.pop()} dimensions, not {dimensions}: name another model."
        raise BadEmbeddingsAnswer(detail, retry_after=None)
    return vectors


def _vector(embedding: object) -> array[float]:
    if not isinstance(embedding, str):
        if not isinstance(embedding, list):
            raise TypeError("an embedding is a list of numbers or base64")
        return array("f", embedding)
    vector = array("f")
    vector.frombytes(base64.b64decode(embedding, validate=True))
    if sys.byteorder == "big":
        vector.byteswap()
    return vector


def _retry_after(answer: httpx2.Response) -> float:
    """Seconds that ``Retry-After`` asks for (RFC 9110, section 10.2.3: seconds or a date), else 0."""
    value = answer.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return 0.0


def _told(error: Exception) -> str:
    if isinstance(error, BadEmbeddingsAnswer):
        return str(error)
    if isinstance(error, TimeoutError | httpx2.TimeoutException):
        return "The embedding service did not answer in time."
    return "The embedding service cannot be reached."
