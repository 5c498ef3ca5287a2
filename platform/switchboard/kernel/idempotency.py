"""`Idempotency-Key`: a request that is sent again is answered again, and done once.

After draft-ietf-httpapi-idempotency-key-header. The record lives in Redis for a day, inside the tenant's name space and
its caller's, encrypted: an answer may hold a secret that is shown once.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, cast

from django.core.files.uploadedfile import UploadedFile
from redis import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from switchboard.kernel.encryption import decrypt, encrypt
from switchboard.kernel.problems import Conflict, Invalid, Problem
from switchboard.kernel.redis import redis_client

HEADER: Final = "Idempotency-Key"
KEPT_SECONDS: Final = 24 * 3600
# How long a request may take before its key is free again: the process that had it is dead by then.
RUNNING_SECONDS: Final = 180
_RUNNING: Final = "running "
_SHAPE = re.compile(r"^[\x21-\x7e]{1,120}\Z")
_KEPT_HEADERS: Final = ("Location", "ETag")

# Frees a key only for the request that took it.
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
_KEEP = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3]) end return 0"

Handler = Callable[..., Response]
_name_space: Callable[[Request], str] | None = None


def scope_keys_by(name_space: Callable[[Request], str]) -> None:
    """Say whose a request's key is. Called once, by the app that knows tenants and callers."""
    global _name_space
    _name_space = name_space


def idempotent(handler: Handler) -> Handler:
    """Make a DRF handler that creates honour `Idempotency-Key`. Only success is remembered: a refusal may be mended.

    Raises (from the handler):
        Invalid: `invalid_idempotency_key`, or `idempotency_key_reused` for another request under the same key.
        Conflict: `request_in_progress`, with Retry-After, while the first is still under way.
    """

    @functools.wraps(handler)
    def answer(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get(HEADER)
        if key is None:
            return handler(view, request, *args, **kwargs)
        if not _SHAPE.match(key):
            raise Invalid("invalid_idempotency_key", f"{HEADER} takes 1 to 120 visible ASCII characters.")
        if _name_space is None:
            raise RuntimeError("Nobody said whose idempotency keys are: call scope_keys_by() in ready().")
        place = f"{_name_space(request)}:idempotency:{hashlib.sha256(key.encode()).hexdigest()}"
        digest = digest_of(request)
        running = f"{_RUNNING}{digest} {secrets.token_hex(8)}"
        found = _take(place, running)
        if found is not None:
            return _again(found, digest)
        try:
            response = handler(view, request, *args, **kwargs)
        except BaseException:
            with _redis_answers():
                redis_client().eval(_RELEASE, 1, place, running)
            raise
        record = {
            "digest": digest,
            "status": response.status_code,
            "data": response.data,
            "headers": {name: response[name] for name in _KEPT_HEADERS if name in response},
        }
        # The work is done; that it can't be remembered must not make it look undone.
        with _redis_answers(quietly=True):
            redis_client().eval(
                _KEEP, 1, place, running, encrypt(json.dumps(record, cls=JSONEncoder)), str(KEPT_SECONDS)
            )
        return response

    answer.honours_idempotency_key = True  # type: ignore[attr-defined]
    return answer


def digest_of(request: Request) -> str:
    """What a request asks for, whatever boundary its multipart body happens to use."""
    data = request.data
    if hasattr(data, "lists"):
        asked: Any = {name: [_described(value) for value in values] for name, values in data.lists()}
    else:
        asked = data
    text = json.dumps([request.method, request.get_full_path(), asked], sort_keys=True, cls=JSONEncoder)
    return hashlib.sha256(text.encode()).hexdigest()


def _described(value: Any) -> Any:
    if not isinstance(value, UploadedFile):
        return value
    content = hashlib.sha256()
    for block in value.chunks():
        content.update(block)
    value.seek(0)
    return {"filename": value.name, "sha256": content.hexdigest()}


def _take(place: str, running: str) -> str | None:
    """Take a key, or say what is known under it."""
    with _redis_answers():
        found: str | None = None
        while found is None:
            if redis_client().set(place, running, nx=True, ex=RUNNING_SECONDS):
                return None
            found = cast("str | None", redis_client().get(place))  # None: it was freed in between
        return found


def _again(found: str, digest: str) -> Response:
    """The answer to a key that has been seen."""
    if found.startswith(_RUNNING):
        if found.split()[1] != digest:
            raise _reused()
        busy = Conflict("request_in_progress", "The first request under this key is still under way.")
        busy.headers["Retry-After"] = "1"
        raise busy
    record = json.loads(decrypt(found))
    if record["digest"] != digest:
        raise _reused()
    return Response(
        record["data"], status=record["status"], headers={**record["headers"], "Idempotent-Replayed": "true"}
    )


def _reused() -> Invalid:
    return Invalid("idempotency_key_reused", f"This {HEADER} was used for another request; choose a new one.")


@contextmanager
def _redis_answers(*, quietly: bool = False) -> Iterator[None]:
    try:
        yield
    except (exceptions.ConnectionError, exceptions.TimeoutError):
        if quietly:
            return
        raise Problem(
            "unavailable",
            "The request can't be made safe to repeat right now.",
            status=503,
            headers={"Retry-After": "2"},
        ) from None
