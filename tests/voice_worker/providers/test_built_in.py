"""The built-in ears and voice, by the real speech server."""

from __future__ import annotations

from typing import Any

import pytest

from tests.voice_worker.providers.listening import hear_said, parts_of, speak

pytestmark = pytest.mark.usefixtures("tenant")


@pytest.mark.parametrize("languages", [[], ["en-GB", "de"], ["de"]])
async def test_it_speaks_and_hears(settings: Any, languages: list[str], speech_url: str) -> None:
    from voice_worker.providers.egress import open_http

    settings.SPEECH_URL, settings.EGRESS_ALLOW = speech_url, []
    async with open_http() as session:
        parts = await parts_of({"languages": languages, "voice": "marin"}, session)

        assert parts.downgraded == ""
        assert 0.8 < await speak(parts.voice, "The kitchen closes at ten.") < 5
        assert await hear_said(parts.ears, "When does the kitchen close tonight?")
        await parts.aclose()


async def test_it_understands_best_what_it_was_told_to_listen_for(settings: Any, speech_url: str) -> None:
    from voice_worker.providers.egress import open_http

    settings.SPEECH_URL, settings.EGRESS_ALLOW = speech_url, []
    terms = ["When is the spa open?", "What time is breakfast?", "When is check out?"]
    async with open_http() as session:
        parts = await parts_of({"languages": ["en"], "stt": {"options": {"keyterm": terms}}}, session)

        assert parts.downgraded == ""
        assert "When is the spa open" in await hear_said(parts.ears, "When is the spa open?")
        await parts.aclose()
