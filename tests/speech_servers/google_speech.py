"""Google's speech recognition: cloud.google.com/speech-to-text/docs/reference/rpc. gRPC over TLS, both versions.

It hears half a second of anything as `HEARD`, and bills a stream in its last answer, once all has been said to it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from tests.speech_servers.server import HEARD, Asked, SpeechServer

_ENOUGH = 16000  # bytes: half a second at 16 kHz
_REFUSALS = {"401": "UNAUTHENTICATED", "429": "RESOURCE_EXHAUSTED", "500": "INTERNAL"}


@asynccontextmanager
async def listening(server: SpeechServer) -> AsyncIterator[str]:
    """Where it is, as host and port. It is asked as `google_speech`, under the certificate of the other servers."""
    import grpc

    door = grpc.aio.server()
    door.add_generic_rpc_handlers([_service(server, 1), _service(server, 2)])
    key, certificate = _credentials(server)
    port = door.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, certificate)]))
    await door.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.let_go()
        await door.stop(0)


def _credentials(server: SpeechServer) -> tuple[bytes, bytes]:
    pem = Path(server.certificate).read_bytes()
    key = serialization.load_pem_private_key(pem, password=None)
    plain = serialization.NoEncryption()
    encoded = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    return encoded, x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.PEM)


def _service(server: SpeechServer, version: int) -> Any:
    import grpc
    from google.cloud.speech_v1.types import cloud_speech as first
    from google.cloud.speech_v2.types import cloud_speech as second

    types: Any = first if version == 1 else second

    async def listen(requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        sent = {key: str(value) for key, value in context.invocation_metadata()}
        asked = Asked("google_speech", f"v{version}", {}, sent.get("authorization", ""))
        server.asked.append(asked)
        behaviour = server.behaviour("google_speech")
        if behaviour == "hang":
            await server.hang()
        if behaviour in _REFUSALS:
            await context.abort(grpc.StatusCode[_REFUSALS[behaviour]], f"fault {behaviour}")
        told = False
        async for request in requests:
            if config := request.streaming_config:
                asked.said.append(config)
            sound = request.audio_content if version == 1 else request.audio
            asked.audio += len(sound)
            asked.sound += sound
            if asked.audio < _ENOUGH or told:
                continue
            told = True
            yield _heard(types, HEARD[:11], is_final=False)
            if behaviour == "half":
                await context.abort(grpc.StatusCode.UNAVAILABLE, "the server goes away")
            yield _heard(types, HEARD, is_final=True)
        yield _billed(types, version, asked)

    handler = grpc.stream_stream_rpc_method_handler(
        listen,
        request_deserializer=types.StreamingRecognizeRequest.deserialize,
        response_serializer=types.StreamingRecognizeResponse.serialize,
    )
    return grpc.method_handlers_generic_handler(
        f"google.cloud.speech.v{version}.Speech", {"StreamingRecognize": handler}
    )


def _heard(types: Any, text: str, *, is_final: bool) -> Any:
    start, end = (
        ("start_time", "end_time")
        if types.__name__.startswith("google.cloud.speech_v1.")
        else (
            "start_offset",
            "end_offset",
        )
    )
    words = [
        types.WordInfo(**{start: dt.timedelta(seconds=n * 0.3), end: dt.timedelta(seconds=n * 0.3 + 0.2)}, word=word)
        for n, word in enumerate(text.split())
    ]
    said = types.SpeechRecognitionAlternative(transcript=text, confidence=0.95, words=words)
    result = types.StreamingRecognitionResult(alternatives=[said], is_final=is_final, language_code="de-de")
    return types.StreamingRecognizeResponse(results=[result])


def _billed(types: Any, version: int, asked: Asked) -> Any:
    seconds = dt.timedelta(seconds=asked.audio / 32000)
    if version == 1:
        return types.StreamingRecognizeResponse(total_billed_time=seconds)
    return types.StreamingRecognizeResponse(metadata=types.RecognitionResponseMetadata(total_billed_duration=seconds))
