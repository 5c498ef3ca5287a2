"""Every page says what it may do in a browser, and holds nothing that a browser would then refuse."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

from tenants.context import use_public
from tests.factories import UserFactory
from tests.guards.test_urls import HOSTS, OPEN, addresses

# What runs no script, whatever a browser's policy says.
_DATA = {"application/json"}
# Whoever may use a device must ask for it here.
_DEVICES = {"/meet/": {"camera", "display-capture", "microphone"}, "/talk/": {"microphone"}}


class Refused(HTMLParser):
    """Finds scripts within a page: elements, event handlers and `javascript:` addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "script" and "src" not in given and given.get("type") not in _DATA:
            self.found.append(self.get_starttag_text() or tag)
        for name, value in attrs:
            if name.startswith("on") or (value or "").strip().lower().startswith("javascript:"):
                self.found.append(f"{tag} {name}={value}")


def policy_of(response: Any) -> dict[str, set[str]]:
    """The sources by the name of their directive."""
    directives = [part.split() for part in response.get("Content-Security-Policy", "").split(";") if part.strip()]
    return {words[0]: set(words[1:]) for words in directives}


def wrong_with(response: Any) -> Iterator[str]:
    """What a page doesn't refuse that every page should, and what it refuses itself."""
    policy = policy_of(response)
    if policy.get("default-src") != {"'none'"}:
        yield "has no policy that begins with nothing"
    if policy.get("script-src", set()) - {"'self'", "'unsafe-eval'"}:
        yield f"takes scripts from {policy['script-src']}"
    for name, allowed in {"base-uri": {"'none'"}, "form-action": {"'self'", "'none'"}}.items():
        if not policy.get(name, {"*"}) <= allowed:
            yield f"lets {name} be {policy.get(name)}"
    if not policy.get("frame-ancestors", {"*"}) <= {"'none'", "'self'"}:
        yield "may be framed by others"
    if "microphone=" not in response.get("Permissions-Policy", ""):
        yield "doesn't say which devices it uses"
    page = Refused()
    page.feed(response.content.decode())
    for found in page.found:
        yield f"holds {found}"


def visitor(host: str) -> Client:
    """A browser of somebody unknown; it is answered with pages."""
    return Client(HTTP_HOST=host, HTTP_ACCEPT="text/html")


def walk(host: str, member: Client) -> tuple[int, list[str]]:
    """How many pages there are, and what is wrong with them."""
    seen, wrong = 0, []
    for address in addresses(HOSTS[host]):
        clients = {"somebody": visitor(host), "a member": member} if address in OPEN else {"a member": member}
        for who, client in clients.items():
            response: Any = client.get(address)
            if not response.get("Content-Type", "").startswith("text/html") or response.streaming:
                continue
            seen += response.status_code == 200
            wrong += [f"{address} for {who} ({response.status_code}) {what}" for what in wrong_with(response)]
            devices = next((named for part, named in _DEVICES.items() if part in address), set())
            for device in ("camera", "display-capture", "microphone", "geolocation"):
                if f"{device}=(self)" in response.get("Permissions-Policy", "") and device not in devices:
                    wrong.append(f"{address} may use the {device}")
    return seen, wrong


def test_every_page_of_a_tenants_host(
    harbour: Any, client_for: Callable[..., Client], staff_of: Callable[..., Any]
) -> None:
    owner = client_for(harbour, staff_of(harbour))
    owner.defaults["HTTP_ACCEPT"] = "text/html"

    seen, wrong = walk("harbour.localhost", owner)

    assert not wrong, "\n".join(wrong)
    assert seen > 60


def test_every_page_of_the_platforms_host(database: None) -> None:
    operator = visitor("localhost")
    with use_public():
        operator.force_login(UserFactory.create(role="owner"))

    seen, wrong = walk("localhost", operator)

    assert not wrong, "\n".join(wrong)
    assert seen > 15


@pytest.mark.parametrize(
    ("host", "address", "status"),
    [
        ("nobody.localhost", "/", 404),  # refused before any view, and before who asks is known
        ("nobody.localhost", "/admin/", 404),
        ("harbour.localhost", "/nothing", 404),
        ("localhost", "/nothing", 404),
    ],
)
def test_refusals(harbour: Any, host: str, address: str, status: int) -> None:
    response = visitor(host).get(address, follow=True)

    assert response.status_code == status
    assert not list(wrong_with(response))


def test_pages_without_the_admins_frame_make_no_scripts_of_text(harbour: Any) -> None:
    client = visitor("harbour.localhost")

    for address in ("/api/docs", "/nothing", f"/meet/{uuid.UUID(int=7)}"):
        assert policy_of(client.get(address))["script-src"] == {"'self'"}


def test_what_is_no_page_has_no_policy(harbour: Any) -> None:
    for address in ("/api/openapi.json", "/healthz", "/api/v1/agents"):
        assert "Content-Security-Policy" not in visitor("harbour.localhost").get(address)
