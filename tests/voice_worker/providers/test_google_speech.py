"""Google's speech recognition, by its real client over gRPC."""

from __future__ import annotations

import asyncio
import base64
import functools
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.speech_servers import google_speech
from tests.speech_servers.server import HEARD, SpeechServer, tone
from tests.voice_worker.providers.listening import frames, hear, hear_once, parts_of

pytestmark = pytest.mark.usefixtures("tenant")
CHAIN = {"stt": {"endpoint": "cloud"}, "stt_fallbacks": [{"endpoint": "second"}], "languages": ["de"]}


@functools.cache
def account() -> str:
    """A service account's key, as Google hands it out."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    document = {
        "type": "service_account",
        "project_id": "harbour",
        "private_key_id": "k-1",
        "private_key": pem.decode(),
        "client_email": "ears@harbour.iam.gserviceaccount.com",
        "token_uri": "http://169.254.169.254/token",
    }
    return json.dumps(document)


@pytest.fixture
async def cloud(tenant: None, providers: SpeechServer, know: Any, settings: Any) -> AsyncIterator[str]:
    """Its address, at which the tenant in force has an endpoint."""
    async with google_speech.listening(providers) as address:
        settings.EGRESS_ALLOW = [*settings.EGRESS_ALLOW, address]
        know("cloud", "google", f"https://{address}", account())
        yield address


def claims(token: str) -> dict[str, Any]:
    """What a token says that an account has signed."""
    body = token.removeprefix("Bearer ").split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=="))
    return found


@pytest.mark.parametrize(("model", "version"), [("latest_long", "v1"), ("chirp_2", "v2")])
@pytest.mark.usefixtures("cloud")
async def test_google_hears_as_it_is_spoken_to(providers: SpeechServer, http: Any, model: str, version: str) -> None:
    speech = {"endpoint": "cloud", "model": model, "options": {"profanity_filter": True}}
    parts = await parts_of({"stt": speech, "languages": ["de"]}, http)

    assert parts.downgraded == ""
    assert await hear(parts.ears) == HEARD
    (asked,) = providers.asked_of("google_speech")
    assert claims(asked.key)["iss"] == "ears@harbour.iam.gserviceaccount.com"
    assert asked.path == version
    wanted = asked.said[0].config
    assert wanted.model == model
    assert ([wanted.language_code] if version == "v1" else list(wanted.language_codes)) == ["de"]
    assert asked.audio >= 16000
    await parts.aclose()


@pytest.mark.parametrize("fault", ["401", "500", "half", "hang"])
@pytest.mark.usefixtures("cloud")
async def test_the_next_one_hears_what_google_missed(providers: SpeechServer, http: Any, fault: str) -> None:
    providers.behave(google_speech=fault)
    parts = await parts_of(CHAIN, http)

    assert await hear_once(parts.ears, "When does the kitchen close tonight, and is the spa open?") == HEARD
    assert len(providers.asked_of("google_speech")) == 1
    assert providers.asked_of("second")
    await parts.aclose()


@pytest.mark.parametrize("hangs_up", [True, False], ids=["hung up", "all said"])
@pytest.mark.usefixtures("cloud")
async def test_what_google_heard_is_told_once(providers: SpeechServer, http: Any, hangs_up: bool) -> None:
    """Google tells at the end, which somebody who hangs up doesn't wait for."""
    from livekit.agents.metrics import ModelUsageCollector
    from livekit.agents.stt import SpeechEventType

    parts = await parts_of(CHAIN, http)
    collector = ModelUsageCollector()
    parts.ears.on("metrics_collected", collector)
    stream = parts.ears.stream()
    for frame in frames(tone(2.0, rate=16000)):
        stream.push_frame(frame)
    async with asyncio.timeout(30):
        if not hangs_up:
            stream.end_input()
        async for event in stream:
            if hangs_up and event.type is SpeechEventType.FINAL_TRANSCRIPT:
                break
        await stream.aclose()

    [told] = collector.flatten()
    assert told.provider == "cloud"
    assert told.audio_duration == pytest.approx(2.0, abs=0.1)  # type: ignore[union-attr]
    await parts.aclose()


@pytest.mark.usefixtures("cloud")
async def test_who_refused_has_heard_nothing(providers: SpeechServer, http: Any) -> None:
    from livekit.agents.metrics import ModelUsageCollector

    providers.behave(google_speech="401")
    parts = await parts_of(CHAIN, http)
    collector = ModelUsageCollector()
    parts.ears.on("metrics_collected", collector)
    assert await hear(parts.ears) == HEARD

    assert [told.provider for told in collector.flatten() if told.audio_duration] == ["second"]  # type: ignore[union-attr]
    await parts.aclose()


async def test_google_is_reached_only_where_the_operator_says(
    cloud: str, providers: SpeechServer, http: Any, know: Any, settings: Any
) -> None:
    know("plain", "google", f"http://{cloud}", account())
    assert "Google's own address" in (await parts_of({"stt": {"endpoint": "plain"}}, http)).downgraded

    settings.EGRESS_ALLOW = ["127.0.0.0/8", providers.host_and_port]
    assert "Google's own address" in (await parts_of(CHAIN, http)).downgraded
