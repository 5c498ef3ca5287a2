"""The API's document is enough: a typed client is generated from it as it is served, checked, and used for real."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

LIFE = Path(__file__).with_name("life.py")
PACKAGE = "generated_switchboard"
# The generator's own frame passes `*args: object` on to httpx's `__exit__`; nothing there comes from our document.
MYPY = f"""
[mypy]
strict = true
[mypy-{PACKAGE}.client]
disable_error_code = arg-type
"""


@pytest.fixture(scope="module")
def generated(web_server: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the client, made from what the server serves; a warning of the generator's is a fault."""
    folder = tmp_path_factory.mktemp("client")
    served = folder / "openapi.json"
    served.write_bytes(
        requests.get(f"{web_server}/api/openapi.json", headers={"Host": "localhost"}, timeout=30).content
    )
    words = ["--path", str(served), "--output-path", str(folder / PACKAGE), "--meta", "none", "--fail-on-warning"]
    # The generator knows no YAML; to it such a body is a file.
    settings = folder / "generator.yaml"
    settings.write_text("content_type_overrides: {application/yaml: application/octet-stream}")
    words += ["--config", str(settings)]
    run(["openapi_python_client", "generate", *words], folder)
    return folder


@pytest.fixture
def life(generated: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """`life.py`, with the client in reach."""
    monkeypatch.syspath_prepend(str(generated))
    yield importlib.import_module("tests.generated_client.life")
    for name in [name for name in sys.modules if name.startswith((PACKAGE, "tests.generated_client.life"))]:
        del sys.modules[name]


def test_the_client_and_a_program_that_uses_it_are_typed(generated: Path) -> None:
    settings = generated / "mypy.ini"
    settings.write_text(MYPY)
    run(["mypy", "--config-file", str(settings), "--cache-dir", str(generated / "cache"), "-p", PACKAGE], generated)
    run(["mypy", "--config-file", str(settings), "--cache-dir", str(generated / "cache"), str(LIFE)], generated)


def test_an_agent_lives_by_the_client_alone(
    life: Any, web_server: str, live_tenants: None, harbour: Any, api_key_for: Callable[..., str]
) -> None:
    from generated_switchboard import AuthenticatedClient  # type: ignore[import-not-found]

    key = api_key_for(harbour)
    client = AuthenticatedClient(
        base_url=web_server, token=key, headers={"Host": "harbour.localhost"}, raise_on_unexpected_status=True
    )
    with client:
        lived = life.live(client)
    assert lived.rendered == "You answer the guests of The Harbour in full and friendly sentences."
    assert (lived.stale.code, lived.stale.status) == ("stale", 412)
    assert ("removed", "full") in lived.draft_words
    assert ("added", "short") in lived.draft_words
    assert "prompt.content.template" in lived.release_paths
    assert lived.serving == {1: "live", 2: "canary"}
    assert lived.rolled_back_to == "You answer the guests of {{ hotel }} in full and friendly sentences."
    for action in (
        "prompt.created",
        "prompt.published",
        "release.went_live",
        "release.canary_started",
        "release.rolled_back",
    ):
        assert action in lived.actions
    assert lived.found == ["house"]


def test_operators_kill_a_flag_for_all_by_the_same_client(life: Any, web_server: str, live_tenants: None) -> None:
    from generated_switchboard import AuthenticatedClient

    from tenants.context import use_public
    from tenants.domain.api_keys import create_api_key

    with use_public():
        key = create_api_key(tenant=None, name="Deploy", scopes=["flags:read", "flags:write"])[1]
    client = AuthenticatedClient(
        base_url=web_server, token=key, headers={"Host": "localhost"}, raise_on_unexpected_status=True
    )
    with client:
        assert life.kill_a_flag(client) == ["checkout.new_flow"]


def run(words: list[str], folder: Path) -> None:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
