"""What hears and speaks, as a runtime config names it: what may be published, shown, exported, and kept."""

from __future__ import annotations

from typing import Any

import pytest

from agents.choices import endpoint_choices, speech_choices
from agents.configuration.reading import DocumentInvalid
from agents.content.base import read
from agents.content.runtime import RuntimeContent
from agents.content.speech import OPTIONS
from agents.domain.components import publish, save_draft, validate_draft
from agents.domain.endpoints import create_endpoint, delete_endpoint, update_endpoint
from agents.models import ModelEndpoint, RuntimeConfig
from agents.providers import CAN, PROVIDERS
from switchboard.kernel.problems import Conflict
from tests.agents.configuration.documents import apply, done, exported
from tests.factories import EndpointFactory, RuntimeConfigFactory
from tests.isolation import assert_problem

SPOKEN = {
    "stt": {"endpoint": "deepgram", "model": "nova-3", "language": "de", "options": {"smart_format": True}},
    "stt_fallbacks": [{"endpoint": "groq"}, {"endpoint": ""}],
    "tts": {"endpoint": "cartesia", "voice": "marina", "options": {"speed": 1.1}},
    "tts_fallbacks": [{"endpoint": "elevenlabs"}],
    "realtime": {"endpoint": "openai", "model": "gpt-realtime"},
    "languages": ["de", "en-GB"],
}


@pytest.fixture
def endpoints(in_harbour: Any) -> None:
    """An endpoint at each provider, named as it is."""
    for provider in PROVIDERS:
        address = "" if PROVIDERS[provider].base_url else "https://speech.example.com/v1"
        create_endpoint(name=provider, provider=provider, base_url=address)


def config(content: dict[str, Any]) -> Any:
    return save_draft(component=RuntimeConfigFactory(published=False), content=content)


def faults(content: dict[str, Any]) -> dict[str, str]:
    return {fault.field: fault.message for fault in validate_draft(component=config(content))}


# --- what may be published --------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("endpoints")
def test_a_config_with_all_of_it_is_published_as_it_was_written() -> None:
    version = publish(component=config(SPOKEN)).version

    content = RuntimeContent.model_validate(version.content)
    assert content.stt.options == {"smart_format": True}
    assert [speech.endpoint for speech in content.stt_fallbacks] == ["groq", ""]
    assert content.realtime is not None
    assert content.endpoints() == {"deepgram", "groq", "cartesia", "elevenlabs", "openai"}


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ({"stt": {"language": "German"}}, "stt.language"),
        ({"tts_fallbacks": [{}, {"language": "x"}]}, "tts_fallbacks.1.language"),
        ({"languages": ["en", "klingon-"]}, "languages.1"),
        ({"realtime": {}}, "realtime.endpoint"),
        ({"stt_fallbacks": [{}] * 4}, "stt_fallbacks"),
        ({"tts_fallbacks": [{}] * 4}, "tts_fallbacks"),
        ({"stt": {"provider": "deepgram"}}, "stt.provider"),
    ],
)
def test_what_is_wrong_by_itself_is_told(content: dict[str, Any], field: str) -> None:
    assert [fault.field for fault in read(RuntimeContent, content)[1]] == [field]


@pytest.mark.usefixtures("endpoints")
@pytest.mark.parametrize(
    ("content", "field", "message"),
    [
        ({"stt": {"endpoint": "nobody"}}, "stt.endpoint", "There is no model endpoint named nobody."),
        ({"stt": {"endpoint": "cartesia"}}, "stt.endpoint", "cartesia is no endpoint that can hear."),
        ({"tts": {"endpoint": "deepgram"}}, "tts.endpoint", "deepgram is no endpoint that can speak."),
        ({"tts_fallbacks": [{"endpoint": "anthropic"}]}, "tts_fallbacks.0.endpoint", "can speak"),
        ({"realtime": {"endpoint": "groq"}}, "realtime.endpoint", "can hear and speak by itself"),
        ({"llm": {"endpoint": "rime", "model": "m"}}, "llm.endpoint", "can answer messages"),
        ({"fallbacks": [{"endpoint": "deepgram", "model": "m"}]}, "fallbacks.0.endpoint", "can answer messages"),
        ({"judge": {"endpoint": "elevenlabs", "model": "m"}}, "judge.endpoint", "can answer messages"),
        ({"stt": {"endpoint": "openai_compatible"}}, "stt.model", "Name the model"),
        ({"stt": {"endpoint": "deepgram", "voice": "v"}}, "stt.voice", "What hears has no voice."),
        ({"tts": {"endpoint": "elevenlabs", "voice": "../user"}}, "tts.voice", "letters, digits"),
    ],
)
def test_what_a_provider_does_not_do_is_told(content: dict[str, Any], field: str, message: str) -> None:
    assert message in faults(content)[field]


@pytest.mark.usefixtures("endpoints")
@pytest.mark.parametrize(
    ("place", "endpoint", "options", "message"),
    [
        ("stt", "deepgram", {"smart": True}, "There is no option smart here; known: endpointing_ms, filler_words"),
        ("stt", "deepgram", {"base_url": "http://10.0.0.1"}, "no option base_url"),
        ("stt", "deepgram", {"api_key": "sk"}, "no option api_key"),
        ("stt", "deepgram", {"endpointing_ms": 999_999}, "endpointing_ms: "),
        ("stt", "deepgram", {"smart_format": "perhaps"}, "smart_format: "),
        ("stt", "deepgram", {"keyterm": ["x"] * 101}, "keyterm: "),
        ("stt", "", {"speed": 1}, "There is no option speed here; known: keyterm."),
        ("tts", "cartesia", {"speed": 9}, "speed: "),
        ("tts", "openai", {"client": {}}, "no option client"),
        ("tts", "groq", {"speed": 1}, "known: none"),
        ("realtime", "google", {"http_options": {}}, "no option http_options"),
    ],
)
def test_options_are_the_providers_own(place: str, endpoint: str, options: dict[str, Any], message: str) -> None:
    told = faults({place: {"endpoint": endpoint, "options": options}})
    assert message in told[f"{place}.options"]


def test_each_provider_has_options_for_all_it_can_do() -> None:
    assert {task for _, task in OPTIONS} == {"hear", "speak", "realtime"}
    assert {(name, task) for name, tasks in CAN.items() for task in tasks - {"chat"}} <= set(OPTIONS)


# --- interfaces -------------------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("endpoints")
def test_over_rest_a_fault_names_its_place(caller: Any) -> None:
    wrong = {**SPOKEN, "tts": {"endpoint": "deepgram"}}
    made = caller.post("/api/v1/runtime-configs", {"name": "Voice", "slug": "voice", "content": wrong})
    refused = assert_problem(caller.post(f"{made['Location']}/publish", {}), 422, "draft_invalid")
    assert [error["field"] for error in refused["errors"]] == ["tts.endpoint"]

    assert caller.patch(made["Location"], {"content": SPOKEN}).status_code == 200
    assert caller.post(f"{made['Location']}/publish", {}).status_code == 201
    shown = caller.get(made["Location"]).json()["content"]
    assert (shown["stt"]["options"], shown["languages"]) == ({"smart_format": True}, ["de", "en-GB"])


@pytest.mark.usefixtures("endpoints")
def test_the_editor_offers_who_can_do_it(staff: Any) -> None:
    assert {name for name, _ in endpoint_choices()} == {"", *(name for name in CAN if "chat" in CAN[name])}
    labels = dict(speech_choices())
    assert labels.keys() == {"", *(name for name in CAN if CAN[name] - {"chat"})}
    assert (labels["deepgram"], labels["openai"]) == ("deepgram (hears)", "openai (hears, speaks, realtime)")

    row = config(SPOKEN)
    page = staff.get(f"/admin/agents/runtimeconfig/{row.pk}/change/").content.decode()
    for name in ("content.stt.endpoint", "content.tts_fallbacks.0.endpoint", "content.realtime.model"):
        assert f'name="{name}"' in page
    assert "deepgram (hears)" in page


@pytest.mark.usefixtures("endpoints")
def test_configuration_takes_it_in_and_out() -> None:
    publish(component=config(SPOKEN))
    text = exported()
    assert "smart_format: true" in text
    assert done(apply(text)) == []

    wrong = text.replace("endpoint: cartesia", "endpoint: deepgram")
    with pytest.raises(DocumentInvalid) as caught:
        apply(wrong)
    told = {error["field"]: error["message"] for error in caught.value.errors}
    assert any(field.endswith("tts.endpoint") and "can speak" in told[field] for field in told)


def test_an_endpoint_of_the_same_document_is_known_with_its_provider(in_harbour: Any) -> None:
    document = (
        "switchboard: 1\nendpoints:\n  ears: {provider: deepgram}\n"
        "runtime_configs:\n  voice:\n    content: {stt: {endpoint: ears}}\n"
    )
    assert len(done(apply(document))) >= 2
    assert ModelEndpoint.objects.get().base_url == PROVIDERS["deepgram"].base_url
    assert RuntimeConfig.objects.get().versions.count() == 1


@pytest.mark.parametrize("place", ["stt", "tts", "realtime", "stt_fallbacks", "tts_fallbacks"])
def test_an_endpoint_that_hears_or_speaks_somewhere_stays(in_harbour: Any, place: str) -> None:
    row = EndpointFactory(name="speech", provider="openai", base_url="https://api.openai.com/v1")
    named = {"endpoint": "speech"}
    publish(component=config({place: [named] if "fallbacks" in place else named}))

    with pytest.raises(Conflict):
        delete_endpoint(endpoint=row)
    with pytest.raises(Conflict):
        update_endpoint(endpoint=row, name="other", base_url=row.base_url)
