"""The guard on addresses that tenants give, in every client that speech goes through."""

from __future__ import annotations

from array import array
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.speech_servers.server import SpeechServer, tone
from tests.voice_worker.providers.listening import frames, parts_of

pytestmark = pytest.mark.usefixtures("tenant")
FORBIDDEN = [
    "127.0.0.1",
    "localhost",
    "10.0.0.7",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104
    "2130706433",
    "0177.0.0.1",
    "0x7f000001",
    "127.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[fe80::1]",
    "[fd00::1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
]


@pytest.fixture
async def forbidden_http(settings: Any, providers: SpeechServer) -> Any:
    """A session of a platform whose operator allows nothing private."""
    from voice_worker.providers.egress import open_http

    settings.EGRESS_ALLOW, settings.SPEECH_URL = [], ""
    async with open_http() as session:
        yield session


@pytest.mark.parametrize("host", FORBIDDEN)
async def test_addresses_that_agents_may_not_reach_are_refused(
    forbidden_http: Any, providers: SpeechServer, host: str
) -> None:
    port = providers.host_and_port.partition(":")[2]
    for scheme in ("http", "ws"):
        with pytest.raises((aiohttp.ClientError, OSError)) as caught:
            await forbidden_http.get(f"{scheme}://{host}:{port}/deepgram/v1/listen")
        assert "agents may reach" in repr(caught.value) or "not a canonical" in str(caught.value)
    assert providers.asked == []


async def test_a_redirect_leads_nowhere_else(http: Any, providers: SpeechServer) -> None:
    async def lead_on(request: web.Request) -> web.Response:
        raise web.HTTPFound(request.query["to"])

    app = web.Application()
    app.add_routes([web.get("/", lead_on)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    http.connector._policy._pairs.add(("127.0.0.1", port))

    for elsewhere in ("http://169.254.169.254/latest/meta-data", "http://127.0.0.1:9/", "http://localhost:9/"):
        with pytest.raises((aiohttp.ClientError, OSError)) as caught:
            await http.get(f"http://127.0.0.1:{port}/", params={"to": elsewhere})
        assert "agents may reach" in repr(caught.value)
    await runner.cleanup()


async def test_a_name_is_judged_by_every_address_it_has(forbidden_http: Any) -> None:
    from voice_worker.providers.egress import GuardedResolver, policy

    with pytest.raises(OSError, match="agents may reach"):
        await GuardedResolver(policy()).resolve("localhost", 443)


@pytest.mark.parametrize("provider", ["deepgram", "openai", "groq", "compatible"])
async def test_ears_reach_nothing_private(forbidden_http: Any, providers: SpeechServer, provider: str) -> None:
    from livekit.agents import APIConnectionError, APIConnectOptions

    config = {
        "stt": {"endpoint": provider, "model": "m" if provider == "compatible" else ""},
        "tts": {"endpoint": "openai"},
    }
    parts = await parts_of(config, forbidden_http)
    sound = frames(tone(rate=16000))
    hasty = APIConnectOptions(max_retry=0, timeout=5)

    with pytest.raises(APIConnectionError):
        if provider == "deepgram":
            async with parts.ears.stream(conn_options=hasty) as stream:
                stream.push_frame(sound[0])
                stream.end_input()
                async for _ in stream:
                    pass
        else:
            await parts.ears.recognize(sound, conn_options=hasty)
    assert providers.asked == []


@pytest.mark.parametrize("provider", ["cartesia", "elevenlabs", "rime", "openai", "groq", "compatible"])
async def test_voices_reach_nothing_private(forbidden_http: Any, providers: SpeechServer, provider: str) -> None:
    """Nobody speaks then: what is to be said can be read, and is silence."""
    from livekit.agents import APIConnectOptions

    config = {
        "stt": {"endpoint": "deepgram"},
        "tts": {"endpoint": provider, "model": "m" if provider == "compatible" else ""},
    }
    parts = await parts_of(config, forbidden_http)
    hasty = APIConnectOptions(max_retry=0, timeout=5)

    sound = b""
    if parts.voice.capabilities.streaming:
        async with parts.voice.stream(conn_options=hasty) as stream:
            stream.push_text("The kitchen closes at ten.")
            stream.end_input()
            async for piece in stream:
                sound += piece.frame.data.tobytes()
    else:
        async with parts.voice.synthesize("The kitchen.", conn_options=hasty) as chunks:
            async for piece in chunks:
                sound += piece.frame.data.tobytes()
    assert providers.asked == []
    assert max(map(abs, array("h", sound))) <= 2  # what resampling makes of silence
    await parts.aclose()


async def test_the_detector_hears_without_a_network(http: Any) -> None:
    """Silero comes with livekit-local-inference: nothing is fetched, and silence isn't speech."""
    parts = await parts_of({}, http)
    stream = parts.detector.stream()
    for frame in frames(bytes(32000)):
        stream.push_frame(frame)
    stream.end_input()

    assert not [event async for event in stream if event.type.value == "start_of_speech"]
