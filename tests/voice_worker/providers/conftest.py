"""Speech providers on loopback, and a tenant who has an endpoint at each."""

from __future__ import annotations

import math
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest

from tests.speech_servers.server import SpeechServer, running

PATHS = {
    "deepgram": "/deepgram/v1",
    "second": "/second/v1",
    "openai": "/openai/v1",
    "groq": "/groq/openai/v1",
    "compatible": "/compatible/v1",
    "cartesia": "/cartesia",
    "elevenlabs": "/elevenlabs/v1",
    "rime": "/rime",
    "google": "",
}
PROVIDERS = {"second": "deepgram", "compatible": "openai_compatible"}
Know = Callable[..., None]


@pytest.fixture
async def providers(settings: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SpeechServer]:
    """The servers, which the operator lets agents reach."""
    async with running() as server:
        settings.EGRESS_ALLOW = [server.host_and_port, server.secure_url.removeprefix("https://")]
        monkeypatch.setenv("SSL_CERT_FILE", server.certificate)  # Gemini's client speaks by TLS alone
        settings.SPEECH_URL = f"{server.url}/built_in/v1"
        yield server


@pytest.fixture
def know() -> Know:
    """Makes this process remember an endpoint of the tenant in force."""

    from agents import releases
    from agents.releases import Endpoint

    def remember(name: str, provider: str, base_url: str, api_key: str = "") -> None:
        endpoint = Endpoint(name=name, base_url=base_url, api_key=api_key, provider=provider)
        releases.endpoints._answers["t_speech", name] = (math.inf, endpoint)

    return remember


@pytest.fixture
def tenant(providers: SpeechServer, know: Know) -> Any:
    """A tenant with an endpoint at each provider, named as it is."""
    from agents import releases
    from tenants.context import Scope, use_tenant

    releases.endpoints.forget()
    for name, path in PATHS.items():
        root = providers.secure_url if name == "google" else providers.url
        know(name, PROVIDERS.get(name, name), root + path, f"sk-{name}")
    with use_tenant(Scope("t_speech", uuid.uuid4(), tier="standard")):
        yield
    releases.endpoints.forget()


@pytest.fixture
async def http(providers: SpeechServer) -> AsyncIterator[aiohttp.ClientSession]:
    """As a worker opens it."""
    from voice_worker.providers.egress import open_http

    async with open_http() as session:
        yield session
