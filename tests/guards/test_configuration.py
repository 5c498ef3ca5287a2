"""One list of settings: the documents, the container files and the code name the same ones."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from switchboard.config import Config
from switchboard.configuration_docs import documentation, env_example

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {name.upper() for name in Config.model_fields}
# Read by the images of others, by Python, or by compose itself; not settings of the platform.
FOREIGN = {
    "POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_DB", "REDIS_PASSWORD", "VALKEYCLI_AUTH",
    "PYTHONUNBUFFERED", "PYTHONPATH", "DJANGO_SETTINGS_MODULE",
}  # fmt: skip


def compose() -> dict[str, Any]:
    parsed = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert isinstance(parsed, dict)
    return parsed


def test_the_table_and_the_example_are_up_to_date() -> None:
    renew = "run `make configuration`"
    assert (ROOT / "docs" / "configuration.md").read_text() == documentation(), renew
    assert (ROOT / ".env.example").read_text() == env_example(), renew


def test_every_setting_says_what_it_is() -> None:
    assert [name for name, field in Config.model_fields.items() if not field.description] == []


def test_compose_names_only_settings_that_exist() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    named = set(re.findall(r"\$\{([A-Z0-9_]+)", text))
    for service in compose()["services"].values():
        named |= set(service.get("environment", {}))
    assert named - SETTINGS - FOREIGN == set()


def test_compose_starts_what_the_platform_is_made_of() -> None:
    services = compose()["services"]
    assert set(services) == {"postgres", "redis", "migrate", "embedder", "speech", "worker", "web", "voice"}
    for name in ("web", "worker", "voice"):
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    for name in ("migrate", "embedder", "speech", "worker", "web", "voice"):
        assert {"DATABASE_URL", "REDIS_URL", "EMBEDDINGS_URL", "SPEECH_URL"} <= set(services[name]["environment"])


def test_the_image_names_only_settings_that_exist_and_does_not_run_as_root() -> None:
    text = (ROOT / "Dockerfile").read_text()
    instructions = text.replace("\\\n", " ").splitlines()
    named = {
        word.partition("=")[0]
        for line in instructions
        if line.startswith("ENV ")
        for word in line.split()[1:]
    }  # fmt: skip
    named |= set(re.findall(r"\$\{?([A-Z][A-Z0-9_]+)", text))
    assert named - SETTINGS - FOREIGN == set()
    assert any(line.startswith("USER ") and line != "USER root" for line in instructions)
