"""Model endpoints: whose protocol they speak, where they are, and whose key goes there."""

from __future__ import annotations

from typing import Any

import pytest

from agents import releases
from agents.configuration.reading import DocumentInvalid
from agents.domain.endpoints import create_endpoint, update_endpoint
from agents.models import ModelEndpoint
from agents.providers import PROVIDERS, key_for
from switchboard.kernel.problems import Invalid
from tests.agents.configuration.documents import apply, done, exported
from tests.factories import EndpointFactory
from tests.isolation import assert_problem

ENDPOINTS = "/api/v1/endpoints"
WITH_AN_ADDRESS = ["openai", "anthropic", "google", "groq", "deepgram", "cartesia", "elevenlabs", "rime"]


def refused(text: str) -> dict[str, str]:
    with pytest.raises(DocumentInvalid) as caught:
        apply(text)
    return {error["field"]: error["message"] for error in caught.value.errors}


# --- keys -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("provider", WITH_AN_ADDRESS)
def test_the_platforms_key_goes_to_the_providers_own_address_alone(settings: Any, provider: str) -> None:
    setattr(settings, PROVIDERS[provider].key_setting, "sk-platform")
    own = PROVIDERS[provider].base_url

    assert key_for(provider, own, "") == "sk-platform"
    assert key_for(provider, own, "sk-tenant") == "sk-tenant"
    for elsewhere in (
        "https://attacker.example.com/v1",
        own.replace("https://", "http://"),
        own + "/x",
        own + ":8443",
        own.replace("https://", "https://user@"),
        own.replace("https://", "https://evil."),
        own.replace("://", "://evil.example/"),
        "",
    ):
        assert key_for(provider, elsewhere, "") == ""


def test_no_other_familys_key_goes_along(settings: Any) -> None:
    settings.OPENAI_API_KEY = "sk-platform"

    assert key_for("groq", PROVIDERS["openai"].base_url, "") == ""
    assert key_for("openai_compatible", PROVIDERS["openai"].base_url, "") == ""


def test_an_endpoint_without_a_key_is_resolved_with_the_platforms(in_harbour: Any, settings: Any) -> None:
    settings.ANTHROPIC_API_KEY = "sk-platform"
    create_endpoint(name="Claude", provider="anthropic")
    create_endpoint(name="Proxy", provider="anthropic", base_url="https://proxy.example.com")

    assert releases._endpoint(("", "Claude")).api_key == "sk-platform"
    assert releases._endpoint(("", "Claude")).provider == "anthropic"
    assert releases._endpoint(("", "Proxy")).api_key == ""


# --- addresses --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("provider", WITH_AN_ADDRESS)
def test_a_known_provider_needs_no_address(in_harbour: Any, provider: str) -> None:
    assert create_endpoint(name="E", provider=provider).base_url == PROVIDERS[provider].base_url


def test_another_one_does(in_harbour: Any) -> None:
    with pytest.raises(Invalid) as caught:
        create_endpoint(name="E")
    assert caught.value.code == "base_url_needed"


def test_a_stored_key_stays_with_its_server_whoever_runs_it(in_harbour: Any) -> None:
    row = create_endpoint(name="E", provider="openai", api_key="sk-tenant")

    with pytest.raises(Invalid) as caught:
        update_endpoint(endpoint=row, name="E", provider="groq", base_url="")
    assert caught.value.code == "api_key_needed"


# --- interfaces -------------------------------------------------------------------------------------------------------
def test_the_api_takes_and_shows_the_provider(caller: Any, in_harbour: Any) -> None:
    made = caller.post(ENDPOINTS, {"name": "Claude", "provider": "anthropic"})
    assert (made.status_code, made.json()["base_url"]) == (201, "https://api.anthropic.com")
    address = f"{ENDPOINTS}/{made.json()['id']}"

    moved = caller.patch(address, {"provider": "groq"}).json()
    assert (moved["provider"], moved["base_url"]) == ("groq", "https://api.groq.com/openai/v1")
    assert_problem(caller.patch(address, {"provider": "skynet"}), 422, "invalid", field="provider")
    assert_problem(caller.patch(address, {"provider": "openai_compatible"}), 422, "base_url_needed", field="base_url")
    assert_problem(caller.post(ENDPOINTS, {"name": "Mine"}), 422, "base_url_needed", field="base_url")
    plain = caller.post(ENDPOINTS, {"name": "Ollama", "base_url": "http://ollama.example.com/v1/"}).json()
    assert (plain["provider"], plain["base_url"]) == ("openai_compatible", "http://ollama.example.com/v1")


def test_the_form_fills_in_the_providers_address(staff: Any) -> None:
    add = "/admin/agents/modelendpoint/add/"
    assert 'name="provider"' in staff.get(add).content.decode()

    assert staff.post(add, {"name": "Gemini", "provider": "google", "base_url": ""}).status_code == 302
    row = ModelEndpoint.objects.get()
    assert row.base_url == PROVIDERS["google"].base_url

    page = staff.post(add, {"name": "Mine", "provider": "openai_compatible", "base_url": ""})
    assert "Give the address of the server." in page.content.decode()
    assert staff.post(add, {"name": "X", "provider": "skynet", "base_url": ""}).status_code == 200
    assert ModelEndpoint.objects.count() == 1


def test_configuration_names_the_provider(in_harbour: Any) -> None:
    text = "switchboard: 1\nendpoints:\n  claude: {provider: anthropic}\n"
    assert done(apply(text)) == ["create endpoints/claude"]
    assert "provider: anthropic" in exported()
    assert done(apply(text)) == []
    assert done(apply(text.replace("anthropic", "google"))) == ["change endpoints/claude"]
    assert ModelEndpoint.objects.get().base_url == PROVIDERS["google"].base_url
    assert "endpoints.mine.base_url" in refused("switchboard: 1\nendpoints:\n  mine: {}\n")
    EndpointFactory(name="openai", base_url="https://api.openai.com/v1", api_key="sk-secret", provider="openai")
    moved = "switchboard: 1\nendpoints:\n  openai: {provider: groq}\n"
    assert "another server" in refused(moved)["endpoints.openai.base_url"]
