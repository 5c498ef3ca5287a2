"""Documents and their vectors, for tests of every app. Made known by `pytest_plugins` in tests/conftest.py."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest


@pytest.fixture
def sample_pdf() -> Callable[..., bytes]:
    """`sample_pdf(pages=["text of page 1", …])`: the bytes of a PDF."""
    from tests.knowledge.pdfs import typeset

    def make(pages: list[str] | tuple[str, ...] = ("Breakfast is served from 7 to 11.",)) -> bytes:
        return typeset(*pages)

    return make


@pytest.fixture(scope="session")
def embedder() -> Iterator[str]:
    """The real embedder, at the address that the settings name; its graph is kept between runs."""
    from tests.knowledge.embedder_process import running_embedder

    with running_embedder(urlsplit(os.environ["EMBEDDINGS_URL"]).port) as (url, _):
        yield url


@pytest.fixture(scope="module")
def companies(django_db_setup: None, django_db_blocker: Any, embedder: str) -> Iterator[None]:
    """The demo companies' documents, in the tests' two tenants."""
    from tests.knowledge.demo_tenants import demo_documents

    with django_db_blocker.unblock(), demo_documents():
        yield
