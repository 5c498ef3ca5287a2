"""Links to a page: they open one document of one tenant, for a day."""

import time
import uuid
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import pytest

from knowledge.links import LINK_SECONDS, QUOTE_CHARACTERS, check_token, make_token, page_url
from tenants.context import TenantNotSet, use_schema, use_tenant


def test_a_link_names_its_page_and_quote():
    document = uuid.uuid4()
    with use_schema("t_harbour"):
        parts = urlsplit(page_url(document, 3, "Dogs & cats: 10 € a night"))
        query = parse_qs(parts.query)
        assert parts.path == f"/documents/{document}/pages/3"
        assert query["quote"] == ["Dogs & cats: 10 € a night"]
        assert check_token(query["token"][0], document)


def test_a_token_opens_no_other_document_and_no_other_tenant():
    document = uuid.uuid4()
    with use_schema("t_harbour"):
        token = make_token(document)
        assert not check_token(token, uuid.uuid4())
    with use_schema("t_agency"):
        assert not check_token(token, document)


def test_a_token_ends_after_a_day():
    document = uuid.uuid4()
    with use_schema("t_harbour"):
        token = make_token(document)
        with mock.patch("time.time", return_value=time.time() + LINK_SECONDS - 5):
            assert check_token(token, document)
        with mock.patch("time.time", return_value=time.time() + LINK_SECONDS + 5):
            assert not check_token(token, document)


@pytest.mark.parametrize("token", ["", ":", "a:b:c", "x" * 5000, "ü", "\ud800", "\x00"])
def test_nonsense_is_no_token(token):
    with use_schema("t_harbour"):
        assert not check_token(token, uuid.uuid4())


def test_a_long_quote_and_a_broken_character_still_make_a_link():
    with use_schema("t_harbour"):
        url = page_url(uuid.uuid4(), 1, "\ud800" + "word " * 1000)
    assert len(parse_qs(urlsplit(url).query)["quote"][0]) <= QUOTE_CHARACTERS


def test_there_are_no_links_outside_a_tenant():
    with pytest.raises(TenantNotSet):
        page_url(uuid.uuid4(), 1)


def test_making_a_link_asks_no_database(harbour, django_assert_num_queries):
    with use_tenant(harbour), django_assert_num_queries(0):
        page_url(uuid.uuid4(), 1, "a quote")
