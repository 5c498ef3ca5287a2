"""An address is believed only as far as the proxies that added to it are trusted."""

import pytest
from django.test import override_settings

from switchboard.kernel.client_address import client_address


@pytest.mark.parametrize(
    ("trusted", "forwarded", "address"),
    [
        (0, "", "198.51.100.1"),
        (0, "203.0.113.9", "198.51.100.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "127.0.0.1, 203.0.113.9", "203.0.113.9"),
        (2, "127.0.0.1, 203.0.113.9, 192.0.2.1", "203.0.113.9"),
        (2, "203.0.113.9", "203.0.113.9"),
        (1, "", "198.51.100.1"),
        (1, "203.0.113.9:5123", "203.0.113.9"),
        (1, "[2001:db8::1]:443", "2001:db8::1"),
        (1, "2001:DB8::0001", "2001:db8::1"),
        (1, "unknown", ""),
        (1, "<script>", ""),
    ],
)
def test_the_client_is_found_past_the_trusted_proxies(trusted, forwarded, address):
    meta = {"REMOTE_ADDR": "198.51.100.1", **({"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {})}
    with override_settings(TRUSTED_PROXIES=trusted):
        assert client_address(meta) == address


def test_without_an_address_there_is_none():
    assert client_address({}) == ""
