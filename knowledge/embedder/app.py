"""The embedder's HTTP face, as an ASGI application: ``POST /v1/embeddings``, ``GET /v1/models``, ``GET /healthz``.

Requests and answers follow OpenAI's API reference ("Create embeddings"), errors its error object.
"""

import base64
import json
import logging
from dataclasses import dataclass
from typing import Any

from knowledge.embedder.batching import Batcher, Overfull, Vectors
from knowledge.embedder.weights import DIMENSIONS, MODEL_NAME
from switchboard.kernel.side_process import (
    ClientGone,
    Message,
    Receive,
    Refused,
    Send,
    content_type,
    read_body,
    send_json,
    unless_gone,
)

MAX_BODY_BYTES = 16 * 1024 * 1024
MAX_INPUTS = 512
MAX_INPUT_CHARACTERS = 32_768
_NAMES = (MODEL_NAME, f"sentence-transformers/{MODEL_NAME}")

_log = logging.getLogger("knowledge.embedder")

_FAILED = Refused(500, "The embedder failed on this request.", code="internal_error")


@dataclass(frozen=True, slots=True)
class _Order:
    texts: list[str]
    as_base64: bool


class EmbedderApp:
    """The ASGI application around a batcher."""

    def __init__(self, batcher: Batcher) -> None:
        self._batcher = batcher

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            try:
                status, body, headers = 200, await self._answer(scope, receive), {}
            except Refused as refusal:
                status, body, headers = refusal.status, refusal.body, refusal.headers
            except ClientGone:
                return
            except Exception:
                _log.exception("embedding failed")
                status, body, headers = 500, _FAILED.body, {}
            await send_json(send, status, body, headers)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                self._batcher.close()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    async def _answer(self, scope: Message, receive: Receive) -> dict[str, Any]:
        match scope["method"], scope["path"]:
            case "POST", "/v1/embeddings":
                return await self._embeddings(scope, receive)
            case "GET" | "HEAD", "/healthz":
                waiting = self._batcher.waiting
                return {"status": "ok", "model": MODEL_NAME, "dimensions": DIMENSIONS, "waiting": waiting}
            case "GET", "/v1/models":
                return {"object": "list", "data": [{"id": MODEL_NAME, "object": "model", "owned_by": "local"}]}
            case method, path if path in {"/v1/embeddings", "/v1/models", "/healthz"}:
                raise Refused(405, f"{method} is not allowed here.", code="method_not_allowed")
        raise Refused(404, "There is nothing here; embeddings are at POST /v1/embeddings.", code="not_found")

    async def _embeddings(self, scope: Message, receive: Receive) -> dict[str, Any]:
        _require_json(scope)
        order = _order(await read_body(receive, most=MAX_BODY_BYTES))
        try:
            vectors, tokens = await unless_gone(self._batcher.embed(order.texts), receive)
        except Overfull as error:
            message = "Too many inputs are waiting. Try again later."
            raise Refused(503, message, code="overloaded", retry_after=error.retry_after) from error
        data = [
            {"object": "embedding", "index": index, "embedding": embedding}
            for index, embedding in enumerate(_encoded(vectors, as_base64=order.as_base64))
        ]
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return {"object": "list", "data": data, "model": MODEL_NAME, "usage": usage}


def _require_json(scope: Message) -> None:
    # A web page may post anything but JSON to this address without asking; so nothing else is taken.
    if content_type(scope) != b"application/json":
        raise Refused(400, "Send JSON, with Content-Type: application/json.", code="invalid_content_type")


def _order(body: bytes) -> _Order:
    """The request, checked."""
    try:
        request = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "The body is not valid JSON.", code="invalid_json") from error
    if not isinstance(request, dict):
        raise Refused(400, "The body must be a JSON object.", code="invalid_json")
    if request.get("model") not in _NAMES:
        raise Refused(404, f"The model must be {MODEL_NAME}.", code="model_not_found", param="model")
    encoding = request.get("encoding_format") or "float"
    if encoding not in ("float", "base64"):
        raise Refused(400, "encoding_format must be float or base64.", code="invalid_value", param="encoding_format")
    if request.get("dimensions") not in (None, DIMENSIONS):
        raise Refused(400, f"dimensions must be {DIMENSIONS}.", code="invalid_value", param="dimensions")
    return _Order(_texts(request.get("input")), encoding == "base64")


def _texts(value: object) -> list[str]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts:
        raise Refused(400, "input must be a string or a list of strings.", code="invalid_value", param="input")
    if len(texts) > MAX_INPUTS:
        raise Refused(400, f"input may hold {MAX_INPUTS} strings at most.", code="too_many_inputs", param="input")
    checked = []
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            raise Refused(400, "input must be a string or a list of strings.", code="invalid_value", param="input")
        if not text:
            raise Refused(400, f"input {index} is empty.", code="invalid_value", param="input")
        if len(text) > MAX_INPUT_CHARACTERS:
            message = f"input {index} is longer than {MAX_INPUT_CHARACTERS:,} characters."
            raise Refused(400, message, code="input_too_long", param="input")
        # JSON may carry lone surrogates; the tokenizer takes none.
        checked.append(text.encode("utf-8", errors="replace").decode("utf-8"))
    return checked


def _encoded(vectors: Vectors, *, as_base64: bool) -> list[Any]:
    if as_base64:
        return [base64.b64encode(vector.astype("<f4").tobytes()).decode("ascii") for vector in vectors]
    floats: list[Any] = vectors.tolist()
    return floats
