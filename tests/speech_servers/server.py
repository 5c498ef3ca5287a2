"""Speech providers on loopback: each speaks its provider's protocol on the wire, and misbehaves as it is told."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import math
import ssl
import struct
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HEARD = "the kitchen closes at ten"
RATE = 24000
FAULTS = ("401", "429", "500", "garbage", "half", "hang")


def tone(seconds: float = 0.5, *, rate: int = RATE, pitch: float = 440) -> bytes:
    """PCM16, mono, that can be told from silence, and by its length from half of it."""
    return b"".join(
        struct.pack("<h", int(9000 * math.sin(2 * math.pi * pitch * n / rate))) for n in range(int(seconds * rate))
    )


SPOKEN = tone()


def pieces(sound: bytes, size: int = 4800) -> list[bytes]:
    """A sound as it comes over the wire."""
    return [sound[at : at + size] for at in range(0, len(sound), size)]


@dataclass
class Asked:
    """One request or socket.

    Args:
        key: how it signed in, scheme and all.
        audio: bytes of sound that came.
        sound: that sound itself, where it is kept.
        said: what it sent besides, in order.
    """

    provider: str
    path: str
    query: dict[str, str]
    key: str
    audio: int = 0
    sound: bytes = b""
    said: list[Any] = field(default_factory=list)


class SpeechServer:
    """What the providers were asked, and how each behaves: `well`, or one of `FAULTS`.

    They are all at `url`, each under its name, and at `secure_url` under a certificate that nobody knows but those who
    are told of its file, `certificate`.
    """

    def __init__(self) -> None:
        self.url = ""
        self.host_and_port = ""
        self.secure_url = ""
        self.certificate = ""
        self.asked: list[Asked] = []
        self._behaviours: dict[str, str] = {}
        self._hanging = asyncio.Event()

    def behave(self, **behaviours: str) -> None:
        """How providers answer from here on, by name, such as `deepgram="500"`."""
        self._behaviours |= behaviours

    def behaviour(self, provider: str) -> str:
        return self._behaviours.get(provider, "well")

    def asked_of(self, provider: str) -> list[Asked]:
        return [one for one in self.asked if one.provider == provider]

    def note(self, provider: str, request: web.Request, key: str) -> Asked:
        """Remember a request."""
        asked = Asked(provider, request.path, dict(request.query), key)
        self.asked.append(asked)
        return asked

    async def hang(self) -> None:
        """Say nothing until the test is over."""
        await self._hanging.wait()

    def let_go(self) -> None:
        self._hanging.set()

    async def refuse(self, provider: str) -> web.StreamResponse | None:
        """The answer of a provider that doesn't do its work before it is spoken to; None for one that does."""
        behaviour = self.behaviour(provider)
        if behaviour in ("401", "429", "500"):
            return web.json_response({"error": {"message": f"fault {behaviour}"}}, status=int(behaviour))
        if behaviour == "hang":
            await self.hang()
        return None


@asynccontextmanager
async def running() -> AsyncIterator[SpeechServer]:
    """All of them, each under its name: `{url}/deepgram/v1` and so on."""
    from tests.speech_servers import cartesia, deepgram, elevenlabs, gemini_live, openai_http, openai_realtime, rime

    server = SpeechServer()
    app = web.Application(client_max_size=32 * 1024 * 1024)
    for module in (cartesia, deepgram, elevenlabs, gemini_live, openai_http, openai_realtime, rime):
        app.add_routes(module.routes(server))
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    secure = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=certified(server))
    await secure.start()
    (plain_port, secure_port) = (address[1] for address in runner.addresses)
    server.host_and_port, server.url = f"127.0.0.1:{plain_port}", f"http://127.0.0.1:{plain_port}"
    server.secure_url = f"https://127.0.0.1:{secure_port}"
    try:
        yield server
    finally:
        server.let_go()
        await runner.cleanup()
        Path(server.certificate).unlink()  # noqa: ASYNC240


def certified(server: SpeechServer) -> ssl.SSLContext:
    """TLS for 127.0.0.1, by a certificate that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "speech")])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).add_extension(names, critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.not_valid_before(now - dt.timedelta(hours=1)).not_valid_after(now + dt.timedelta(days=1))
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    with tempfile.NamedTemporaryFile(suffix=".pem", delete=False) as file:
        file.write(builder.sign(key, hashes.SHA256()).public_bytes(pem))
        file.write(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    server.certificate = file.name
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file.name)
    return context
