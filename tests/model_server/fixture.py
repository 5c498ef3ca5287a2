"""The stub model server as a fixture, made known by `pytest_plugins` in tests/conftest.py."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.model_server.process import ModelServer, running


@pytest.fixture(scope="session")
def model_server_process() -> Iterator[ModelServer]:
    """One stub for all tests."""
    with running() as server:
        yield server


@pytest.fixture
def model_server(model_server_process: ModelServer) -> ModelServer:
    """`.url` is its base URL, `.requests()` what it was asked for in this test; answers.py lists its models."""
    model_server_process.reset()
    return model_server_process
