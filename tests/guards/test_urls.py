"""Every address asks who calls, unless it is on this list with a reason."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver
from django.utils.regex_helper import normalize

OPEN = {
    "/healthz": "a load balancer has no account, and it says nothing but that it answers",
    "/readyz": "as /healthz; it names the parts, not what is in them",
    "/.well-known/jwks.json": "public keys are public",
    "/": "leads to the admin, which asks",
    "/admin/login/": "this is where one says who one is",
    "/admin/login/forgotten/": "who can't say who they are asks for a link by mail",
    "/admin/login/forgotten/done/": "the same sentence for everybody",
    "/admin/login/inactive/": "a sentence",
    "/admin/login/new-password/": "a sentence",
    "/admin/login/new-password/seven-seven/": "the link's key is asked for",
    "/admin/invitation/seven/": "the link's token is asked for",
    "/admin/login/sso/00000000-0000-0000-0000-000000000007/": "leads to a provider that asks",
    "/admin/login/sso/00000000-0000-0000-0000-000000000007/callback/": "what the provider says is verified",
    "/admin/logout/": "takes POST alone and ends what session there is",
    "/admin/jsi18n/": "Django's translations of its own words",
    "/admin/password_change/done/": "redirects to the login",
    "/api/v1/": "nothing is there: it answers 404 to everybody",
    "/api/v1/worker/": "nor there",
    "/v1/": "nothing is there: it answers 404 to everybody",
    "/meet/00000000-0000-0000-0000-000000000007": "an empty page; what it shows it asks the API for, which asks",
    "/api/v1/meetings/seven/state": "a guest's token in the body is asked for",
    "/api/openapi.json": "the contract is public",
    "/api/docs": "the contract, for people",
}
HOSTS = {"harbour.localhost": "switchboard.urls", "localhost": "switchboard.urls_public"}
_CONVERTERS = {
    "uuid": str(uuid.UUID(int=7)),
    "int": "7",
    "slug": "seven",
    "str": "seven",
    "path": "seven",
    "flag_key": "seven",
}


def addresses(urlconf: str) -> list[str]:
    """A sample of every address that a URL configuration knows."""
    return sorted(set(_walk(import_module(urlconf).urlpatterns, "/")))


def _walk(patterns: Any, prefix: str) -> Iterator[str]:
    for pattern in patterns:
        address = prefix + _sample(str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, address)
        else:
            assert isinstance(pattern, URLPattern)
            yield address


def _sample(route: str) -> str:
    if route.startswith("^") or "(?P" in route:
        text, names = normalize(route.removesuffix(r"\Z"))[0]
        for name in names:
            alternatives = re.search(rf"\(\?P<{name}>([\w|]+)\)", route)
            value = alternatives[1].split("|")[0] if alternatives else "seven"
            text = text.replace(f"%({name})s", value)
        return str(text)
    return re.sub(r"<(?:(\w+):)?\w+>", lambda match: _CONVERTERS[match[1] or "str"], route)


def refuses(response: Any) -> bool:
    """Whether an answer gives nothing to somebody unknown."""
    if response.status_code == 302:
        return "/login/" in response["Location"]
    return response.status_code in {401, 403, 405}


@pytest.mark.parametrize(("host", "address"), [(host, at) for host, conf in HOSTS.items() for at in addresses(conf)])
def test_an_address_asks_who_calls(harbour, host, address):
    if address in OPEN:
        return
    stranger = Client(HTTP_HOST=host)
    answers = {method: getattr(stranger, method)(address) for method in ("get", "post", "put", "patch", "delete")}
    given = {method: answer.status_code for method, answer in answers.items() if not refuses(answer)}
    assert not given, f"{address} answers somebody unknown: {given}"
    assert any(answer.status_code != 405 for answer in answers.values())


def test_the_list_holds_nothing_that_is_gone():
    known = {address for conf in HOSTS.values() for address in addresses(conf)}
    assert set(OPEN) <= known


def test_the_walk_reaches_both_planes_and_the_admin():
    found = addresses("switchboard.urls")
    for part in ("/api/v1/documents", "/api/v1/conversations", "/admin/knowledge/document/", "/api/v1/agents/"):
        assert any(address.startswith(part) for address in found), part
