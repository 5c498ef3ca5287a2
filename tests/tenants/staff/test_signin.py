"""Signing in as a person does: by the pages."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.hashers import identify_hasher, make_password
from django.db import connection
from django.test import Client, override_settings

from switchboard.kernel.problems import Problem
from tenants.context import use_public, use_tenant
from tenants.models import Tenant
from tenants.staff import lockout
from tenants.staff.domain import second_factor
from tenants.staff.models import User, rules
from tests.factories import PASSWORD, UserFactory
from tests.tenants.staff.totp import code_of

LOGIN = "/admin/login/"
WRONG = "The username and/or password you specified are not correct."


def browser(host: str = "harbour.localhost") -> Client:
    return Client(HTTP_HOST=host)


def sign_in(client: Client, username: str, password: str = PASSWORD, **extra: Any) -> Any:
    return client.post(LOGIN, {"login": username, "password": password}, **extra)


def is_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def set_up(client: Client) -> tuple[str, list[str]]:
    """A second factor for whoever is signed in: its key, and the recovery codes."""
    again = client.get("/admin/second-factor/set-up/")["Location"]
    page = client.post(again, {"password": PASSWORD}, follow=True).content.decode()
    found = re.search(r"data-key>([A-Z2-7]+)<", page)
    assert found, page
    answer = client.post("/admin/second-factor/set-up/", {"code": code_of(found[1])}, follow=True)
    codes = re.findall(r"<li><code>(\d+)</code></li>", answer.content.decode())
    assert codes, answer.content.decode()[:3000]
    return found[1], codes


@pytest.fixture
def mara(in_harbour: Tenant) -> User:
    member: User = UserFactory.create(username="mara", role="builder")
    return member


# --- passwords --------------------------------------------------------------------------------------------------------


def test_a_member_signs_in_and_is_led_where_they_wanted_to_go(mara: User) -> None:
    client = browser()
    page = client.get(f"{LOGIN}?next=/admin/agents/agent/")
    assert 'value="/admin/agents/agent/"' in page.content.decode()
    answer = client.post(LOGIN, {"login": "mara", "password": PASSWORD, "next": "/admin/agents/agent/"})
    assert answer["Location"] == "/admin/agents/agent/"
    assert is_in(client)


def test_nobody_is_led_to_another_site(mara: User) -> None:
    answer = browser().post(LOGIN, {"login": "mara", "password": PASSWORD, "next": "https://evil.example/"})
    assert answer["Location"] == "/admin/"


def test_who_is_no_staff_and_who_has_left_dont_come_in(in_harbour: Tenant) -> None:
    UserFactory.create(username="contact", is_staff=False)
    UserFactory.create(username="leaver", is_active=False)
    for name in ("contact", "leaver", "nobody"):
        client = browser()
        sign_in(client, name)
        assert not is_in(client), name


def test_a_member_of_one_company_doesnt_come_into_another_nor_to_the_operators(mara: User, agency: Tenant) -> None:
    for host in ("agency.localhost", "localhost"):
        client = browser(host)
        assert WRONG in sign_in(client, "mara").content.decode()
        assert not is_in(client)


def test_passwords_are_kept_by_argon2id_and_old_hashes_are_renewed(mara: User) -> None:
    with override_settings(PASSWORD_HASHERS=_own_hashers()):
        assert make_password("x").startswith("argon2$argon2id$")
        mara.password = make_password(PASSWORD, hasher="pbkdf2_sha256")
        mara.save()
        sign_in(browser(), "mara")
        mara.refresh_from_db()
        assert identify_hasher(mara.password).algorithm == "argon2"


def _own_hashers() -> list[str]:
    from switchboard import settings as own

    return list(own.PASSWORD_HASHERS)


# --- too many attempts ------------------------------------------------------------------------------------------------


def test_an_account_is_locked_after_failures_even_for_the_right_password(mara: User) -> None:
    for _ in range(settings.LOGIN_ATTEMPTS):
        answer = sign_in(browser(), "mara", "wrong")
        assert (answer.status_code, WRONG in answer.content.decode()) == (200, True)
    client = browser()
    answer = sign_in(client, "Mara ", PASSWORD, REMOTE_ADDR="198.51.100.7")
    assert answer.status_code == 429
    assert answer["Retry-After"] == str(settings.LOGIN_LOCK_SECONDS)
    assert "Too many attempts" in answer.content.decode()
    assert not is_in(client)


def test_who_isnt_there_is_refused_and_locked_with_the_same_words(mara: User) -> None:
    def answers(name: str) -> list[tuple[int, str]]:
        found = []
        for _ in range(settings.LOGIN_ATTEMPTS + 1):
            answer = sign_in(browser(), name, "wrong")
            text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", answer.content.decode())
            found.append((answer.status_code, text.replace(name, "…")))
        return found

    assert answers("mara") == answers("nobo")


def test_an_unknown_name_costs_as_long_as_a_known_one(mara: User) -> None:
    with override_settings(PASSWORD_HASHERS=_own_hashers()):
        mara.set_password(PASSWORD)
        mara.save()

        def spent(name: str, attempt: int) -> float:
            started = time.perf_counter()
            sign_in(browser(), name, "wrong", REMOTE_ADDR=f"198.51.100.{attempt}")
            return time.perf_counter() - started

        known = unknown = math.inf
        for attempt in range(8):  # the best of some: a machine that is busy takes longer for any of them
            known, unknown = min(known, spent("mara", attempt)), min(unknown, spent("nobody", attempt))
            if attempt and abs(known - unknown) < 0.6 * max(known, unknown):
                return
    raise AssertionError(f"{known:.3f} s for a known name, {unknown:.3f} s for an unknown one")


def test_an_address_that_tries_many_names_is_locked_and_others_are_not(mara: User) -> None:
    with override_settings(LOGIN_ATTEMPTS_PER_ADDRESS=5):
        for number in range(5):
            sign_in(browser(), f"guess{number}", "wrong", REMOTE_ADDR="198.51.100.7")
        assert sign_in(browser(), "mara", REMOTE_ADDR="198.51.100.7").status_code == 429
        assert sign_in(browser(), "mara", REMOTE_ADDR="198.51.100.8").status_code == 302


def test_success_forgets_failures_and_isnt_charged_to_the_address(mara: User) -> None:
    with override_settings(LOGIN_ATTEMPTS=3, LOGIN_ATTEMPTS_PER_ADDRESS=6):
        for _ in range(2):
            sign_in(browser(), "mara", "wrong", REMOTE_ADDR="198.51.100.7")
            sign_in(browser(), "mara", "wrong", REMOTE_ADDR="198.51.100.7")
            assert sign_in(browser(), "mara", REMOTE_ADDR="198.51.100.7").status_code == 302


def test_a_lock_at_one_company_is_none_at_another(mara: User, agency: Tenant) -> None:
    with use_tenant(agency):
        UserFactory.create(username="mara")
    for _ in range(settings.LOGIN_ATTEMPTS):
        sign_in(browser(), "mara", "wrong")
    assert sign_in(browser("agency.localhost"), "mara", REMOTE_ADDR="198.51.100.9").status_code == 302


def test_many_at_once_gain_no_attempt(in_harbour: Tenant) -> None:
    def attempt(_: int) -> bool:
        try:
            lockout.begin_attempt(account="mara", address="198.51.100.7")
        except Problem:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        contexts = [copy_context() for _ in range(40)]
        let_through = list(pool.map(lambda pair: pair[1].run(attempt, pair[0]), enumerate(contexts)))
    assert sum(let_through) == settings.LOGIN_ATTEMPTS


# --- sessions ---------------------------------------------------------------------------------------------------------


def test_a_new_password_ends_the_other_sessions(mara: User) -> None:
    here, there = browser(), browser()
    sign_in(here, "mara")
    sign_in(there, "mara")
    values = {"old_password": PASSWORD, "new_password1": "another quiet bay", "new_password2": "another quiet bay"}
    assert here.post("/admin/password_change/", values).status_code == 302
    assert is_in(here)
    assert not is_in(there)


def test_who_is_made_inactive_is_out_at_once(mara: User) -> None:
    client = browser()
    sign_in(client, "mara")
    mara.is_active = False
    mara.save()
    assert not is_in(client)
    assert client.get("/api/v1/collections").status_code in {401, 403}


# --- the second factor ------------------------------------------------------------------------------------------------


def test_with_a_second_factor_the_password_alone_opens_nothing(mara: User, live_tenants: None) -> None:
    client = browser()
    sign_in(client, "mara")
    secret, _ = set_up(client)
    assert User.objects.get(pk=mara.pk).second_factor_since is not None
    other = browser()
    assert sign_in(other, "mara")["Location"].endswith("/admin/login/second-factor/")
    assert not is_in(other)
    assert other.get("/api/v1/collections").status_code in {401, 403}
    assert "Incorrect code" in other.post("/admin/login/second-factor/", {"code": "000000"}).content.decode()
    later = code_of(secret, at=time.time() + 30)
    assert other.post("/admin/login/second-factor/", {"code": later}).status_code == 302
    assert is_in(other)
    again = browser()
    sign_in(again, "mara")
    again.post("/admin/login/second-factor/", {"code": later})
    assert not is_in(again), "a code opens the door once"


def test_a_recovery_code_opens_the_door_once(mara: User, live_tenants: None) -> None:
    client = browser()
    sign_in(client, "mara")
    _, codes = set_up(client)
    for attempt, opens in enumerate((True, False)):
        other = browser()
        sign_in(other, "mara")
        other.post("/admin/login/second-factor/", {"code": codes[0]})
        assert is_in(other) is opens, attempt
    page = client.get("/admin/second-factor/recovery-codes/").content.decode()
    assert codes[1] not in page


def test_codes_cant_be_guessed_for_long(mara: User, live_tenants: None) -> None:
    client = browser()
    sign_in(client, "mara")
    secret, _ = set_up(client)
    other = browser()
    sign_in(other, "mara")
    for _ in range(settings.LOGIN_ATTEMPTS):
        other.post("/admin/login/second-factor/", {"code": "000000"})
    answer = other.post("/admin/login/second-factor/", {"code": code_of(secret, at=time.time() + 30)})
    assert "Too many attempts" in answer.content.decode()
    assert not is_in(other)


def test_the_key_is_stored_encrypted(mara: User, live_tenants: None) -> None:
    client = browser()
    sign_in(client, "mara")
    secret, codes = set_up(client)
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(data::text, ' ') FROM mfa_authenticator")
        stored = cursor.fetchone()[0]
    assert secret not in stored
    assert codes[0] not in stored


def test_where_a_second_factor_is_asked_of_all_who_has_none_is_led_to_set_it_up(mara: User, live_tenants: None) -> None:
    client = browser()
    sign_in(client, "mara")
    second_factor.require_second_factor(required=True)
    for address in ("/admin/", "/admin/agents/agent/"):
        assert client.get(address)["Location"] == "/admin/second-factor/set-up/"
    assert client.get("/api/v1/collections").status_code == 403
    set_up(client)
    assert is_in(client)
    assert client.get("/api/v1/collections").status_code == 200


def test_the_rule_of_one_company_isnt_anothers(
    in_harbour: Tenant, agency: Tenant, client_for: Callable[..., Client]
) -> None:
    second_factor.require_second_factor(required=True)
    assert is_in(client_for(agency))
    assert not is_in(client_for(in_harbour))


def test_an_owner_resets_a_lost_second_factor(mara: User, live_tenants: None) -> None:
    client = browser()
    sign_in(client, "mara")
    set_up(client)
    second_factor.reset_second_factor(member=mara)
    other = browser()
    sign_in(other, "mara")
    assert is_in(other)
    assert not Authenticator.objects.exists()


def test_removing_it_asks_once_more_who_sits_there(mara: User, live_tenants: None) -> None:
    client = browser()
    sign_in(client, "mara")
    set_up(client)
    session = client.session
    session["account_authentication_methods"] = []
    session.save()
    answer = client.get("/admin/second-factor/remove/")
    assert "/admin/again/" in answer["Location"]
    assert Authenticator.objects.count() == 2


def test_operators_have_second_factors_too(live_tenants: None) -> None:
    with use_public():
        UserFactory.create(username="olga")
    client = browser("localhost")
    sign_in(client, "olga")
    set_up(client)
    other = browser("localhost")
    assert sign_in(other, "olga")["Location"].endswith("/admin/login/second-factor/")


# --- forgotten passwords ----------------------------------------------------------------------------------------------


def test_a_forgotten_password_is_changed_by_a_link_that_works_once(
    mara: User, live_tenants: None, mails: list[Any]
) -> None:
    there = browser()
    sign_in(there, "mara")
    for _ in range(settings.LOGIN_ATTEMPTS + 1):
        sign_in(browser(), "mara", "wrong")
    browser().post("/admin/login/forgotten/", {"email": "MARA@example.com"})
    (mail,) = mails
    assert mail.to == ["mara@example.com"]
    link = re.search(r"http://harbour.localhost(/\S+)", mail.body)
    assert link
    client = browser()
    page = client.get(link[1], follow=True)
    values = {"password1": "another quiet bay", "password2": "another quiet bay"}
    assert client.post(page.request["PATH_INFO"], {**values, "password2": "x"}).status_code == 200
    assert client.post(page.request["PATH_INFO"], values).status_code == 302
    assert not is_in(client), "the link gives a password, not a session: a second factor is asked for as ever"
    assert sign_in(client, "mara", "another quiet bay").status_code == 302
    assert not is_in(there)
    assert "expired" in browser().get(link[1], follow=True).content.decode()


def test_who_has_no_account_gets_the_same_answer_and_no_mail(mara: User, live_tenants: None, mails: list[Any]) -> None:
    known = browser().post("/admin/login/forgotten/", {"email": "mara@example.com"})
    unknown = browser().post("/admin/login/forgotten/", {"email": "nobody@example.com"})
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert len(mails) == 1


def test_the_link_of_one_company_changes_nothing_at_another(
    mara: User, live_tenants: None, agency: Tenant, mails: list[Any]
) -> None:
    with use_tenant(agency):
        UserFactory.create(id=mara.pk, username="mara")
    browser().post("/admin/login/forgotten/", {"email": "mara@example.com"})
    link = re.search(r"http://harbour.localhost(/\S+)", mails[0].body)
    assert link
    assert "expired" in browser("agency.localhost").get(link[1], follow=True).content.decode()
    rules.forget()
