"""Every address, method and role against the table of tests/guards/role_table.py: what may be done is what is declared
there, by every road.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import copy
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.template.response import SimpleTemplateResponse
from django.test import Client

from switchboard.kernel.problems import WORKER_PATHS
from tenants.context import use_public
from tenants.permissions import ROLE_PERMISSIONS, Permission, Role
from tests.factories import UserFactory
from tests.guards.role_table import ANYBODY, MEMBERS, NEVER, NOBODY, PLATFORM, TENANT, Rule
from tests.guards.test_urls import addresses, refuses

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# Django's admin takes every method but POST for a GET; one of them stands for the others, and is asked at both ends of
# the roles.
STAND_IN = "PUT"
ADMIN_METHODS = ("GET", "POST", STAND_IN)
STRANGER = "no session"
ENDS = (STRANGER, Role.VIEWER.value)
Clients = dict[str, Client]


class Unwritten:
    """A middleware that leaves pages blank: what is looked at is their status, and to write them takes a minute."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_template_response(self, request: HttpRequest, response: Any) -> SimpleTemplateResponse:
        return SimpleTemplateResponse(engines["django"].from_string(""), status=response.status_code)


@pytest.fixture(autouse=True)
def _pages_are_blank(settings: Any) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.{Unwritten.__name__}"]


@pytest.fixture
def people(harbour: Any, client_for: Callable[..., Client], staff_of: Callable[..., Any]) -> Clients:
    members = {role.value: client_for(harbour, staff_of(harbour, role=role.value)) for role in Role}
    return {STRANGER: Client(HTTP_HOST="harbour.localhost"), **members}


@pytest.fixture
def operators(database: None) -> Clients:
    operator = Client(HTTP_HOST="localhost")
    with use_public():
        operator.force_login(UserFactory.create(role="viewer"))
    return {STRANGER: Client(HTTP_HOST="localhost"), "operator": operator}


def allowed_by(rule: Rule) -> set[str]:
    """The roles that a rule lets through."""
    if rule.address in NEVER or rule.asks == NOBODY:
        return set()
    everybody = {role.value for role in Role} | {"operator"}
    if rule.asks == ANYBODY:
        return everybody | {STRANGER}
    if rule.asks == MEMBERS:
        return everybody
    needed = {Permission(rule.asks), *([rule.also] if rule.also else [])}
    return {role.value for role in Role if needed <= ROLE_PERMISSIONS[role]} | {"operator"}


def walk(people: Clients, urlconf: str, rules: list[Rule], known: Callable[[str, str], bool]) -> Iterator[str]:
    """What differs from the table, a line for each method of an address."""
    mightiest = next(role for role in people if role != STRANGER)
    for address in addresses(urlconf):
        for method in ADMIN_METHODS if address.startswith("/admin/") else METHODS:
            if not known(method, address):
                continue
            answers = {mightiest: ask(people[mightiest], method, address)}
            if answers[mightiest] == 405:  # who may do everything can't do this: the view doesn't know the method
                continue
            for role in ENDS if method == STAND_IN and address.startswith("/admin/") else people:
                if role != mightiest and role in people:
                    answers[role] = ask(people[role], method, address)
            as_method = "GET" if address.startswith("/admin/") and method != "POST" else method
            rule = next((rule for rule in rules if rule.fits(as_method, address)), None)
            if rule is None:
                yield f"{method} {address} is in no line of tests/guards/role_table.py: add what it asks for"
                continue
            let_in = {role for role, answer in answers.items() if answer not in (REFUSED, 405)}
            wanted = allowed_by(rule) & {role for role, answer in answers.items() if answer != 405}
            if let_in != wanted:
                yield f"{method} {address} lets in {sorted(let_in)}; {rule.asks} would be {sorted(wanted)}"


REFUSED = 0


def ask(client: Client, method: str, address: str) -> int:
    """The status of the answer, or REFUSED; nothing that was asked stays."""
    body = {} if method == "GET" else {"data": json.dumps({}), "content_type": "application/json"}
    if address.startswith("/admin/") and method == "POST":
        body = {}
    cookies = copy(client.cookies)
    with transaction.atomic():
        answer: Any = client.generic(method, address, **body)
        transaction.set_rollback(True)
    client.cookies = cookies
    return REFUSED if answer.status_code != 405 and refuses(answer) else int(answer.status_code)


def on_control_plane(method: str, address: str) -> bool:
    return not on_data_plane(method, address)


def on_data_plane(method: str, address: str) -> bool:
    data_plane = ("/api/v1/conversations", "/api/v1/search", "/api/v1/meetings", "/v1/", *WORKER_PATHS)
    return address.startswith(data_plane)


def test_the_control_plane_and_the_admin_do_as_the_table_says(people: Clients) -> None:
    faults = list(walk(people, "switchboard.urls", TENANT, on_control_plane))
    assert not faults, "\n".join(faults)


def test_the_operators_site_does_as_the_table_says(operators: Clients) -> None:
    faults = list(walk(operators, "switchboard.urls_public", PLATFORM, on_control_plane))
    assert not faults, "\n".join(faults)


def test_the_data_plane_does_as_the_table_says(live_tenants: None, people: Clients) -> None:
    faults = list(walk(people, "switchboard.urls", TENANT, on_data_plane))
    assert not faults, "\n".join(faults)


def test_the_operators_data_plane_does_as_the_table_says(live_tenants: None, operators: Clients) -> None:
    faults = list(walk(operators, "switchboard.urls_public", PLATFORM, on_data_plane))
    assert not faults, "\n".join(faults)
