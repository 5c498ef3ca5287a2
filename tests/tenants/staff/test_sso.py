"""Single sign-on against a provider that runs, and against one that cheats."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.db import connection as database
from django.test import Client, override_settings
from django.utils.html import escape

from switchboard.kernel.problems import Conflict, Invalid
from tenants.context import use_public, use_tenant
from tenants.models import Tenant
from tenants.staff.domain import sso
from tenants.staff.models import SsoConnection, User
from tests.factories import UserFactory
from tests.oidc_provider import Cheat, Provider, running_cheat, running_provider

SORRY = "Single sign-on didn"


@pytest.fixture(scope="module")
def provider_process() -> Iterator[Provider]:
    with running_provider() as provider:
        yield provider


@pytest.fixture
def provider(provider_process: Provider) -> Iterator[Provider]:
    with override_settings(EGRESS_ALLOW=[provider_process.host_and_port]):
        yield provider_process


@pytest.fixture
def cheat() -> Iterator[Cheat]:
    with running_cheat() as cheat, override_settings(EGRESS_ALLOW=[cheat.host_and_port]):
        yield cheat


def connect(issuer: str, **fields: Any) -> SsoConnection:
    values = {"name": "Example ID", "issuer": issuer, "client_id": "switchboard", "client_secret": "very secret"}
    return sso.create_connection(**{**values, "email_domains": ["example.com"], **fields})


def browser(host: str = "harbour.localhost") -> Client:
    return Client(HTTP_HOST=host)


def begin(client: Client, row: SsoConnection, following: str = "") -> str:
    """Press the button; returns the provider's address."""
    return led_to(client.post(f"/admin/login/sso/{row.pk}/?next={following}"))


def led_to(answer: Any) -> str:
    """Where the page goes by itself, and the link on it for whom it doesn't."""
    assert answer.status_code == 200
    delay, _, address = answer["Refresh"].partition("; url=")
    assert delay == "0"
    assert f'href="{escape(address)}"' in answer.content.decode()
    return str(address)


def come_back(client: Client, location: str) -> Any:
    parts = urlsplit(location)
    return client.get(f"{parts.path}?{parts.query}", follow=True)


def sign_in(client: Client, row: SsoConnection, provider: Provider, sub: str, following: str = "") -> Any:
    return come_back(client, provider.signs_in(sub, at=begin(client, row, following)))


def is_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


# --- the way in -------------------------------------------------------------------------------------------------------


def test_somebody_new_becomes_a_member_with_the_role_that_was_chosen(in_harbour: Tenant, provider: Provider) -> None:
    row = connect(provider.issuer, new_member_role="analyst")
    provider.person("ana", email="Ana@example.com", email_verified=True, given_name="Ana", family_name="Lima")
    client = browser()
    page = client.get("/admin/login/").content.decode()
    assert "Sign in with Example ID" in page
    answer = sign_in(client, row, provider, "ana", "/admin/agents/agent/")
    assert answer.redirect_chain[-1][0] == "/admin/agents/agent/"
    member = User.objects.get()
    assert (member.username, member.role, member.get_full_name()) == ("ana@example.com", "analyst", "Ana Lima")
    assert not member.has_usable_password()
    again = browser()
    sign_in(again, row, provider, "ana")
    assert is_in(again)
    assert User.objects.count() == 1


def test_a_member_with_the_verified_address_keeps_who_they_are(in_harbour: Tenant, provider: Provider) -> None:
    mara = UserFactory.create(username="mara", email="Mara@example.com", role="builder")
    provider.person("m", email="mara@example.com", email_verified=True)
    client = browser()
    sign_in(client, connect(provider.issuer), provider, "m")
    assert client.session["_auth_user_id"] == str(mara.pk)
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "mara@example.com", "email_verified": False},
        {"email": "mara@example.com"},
        {"email_verified": True},
        {"email": "mara@elsewhere.com", "email_verified": True},
        {"email": "mara@example.com.elsewhere.com", "email_verified": True},
        {"email": "mara@sub.example.com", "email_verified": True},
    ],
)
def test_an_address_that_isnt_verified_or_of_another_domain_opens_nothing(
    in_harbour: Tenant, provider: Provider, claims: dict[str, Any]
) -> None:
    UserFactory.create(username="mara", email="mara@example.com", role="owner")
    sub = f"sub-{uuid.uuid4()}"
    provider.person(sub, **claims)
    client = browser()
    answer = sign_in(client, connect(provider.issuer), provider, sub)
    assert "e-mail address" in answer.content.decode()
    assert not is_in(client)
    assert User.objects.count() == 1


def test_who_has_left_doesnt_come_back(in_harbour: Tenant, provider: Provider) -> None:
    UserFactory.create(email="leaver@example.com", is_active=False)
    provider.person("leaver", email="leaver@example.com", email_verified=True)
    client = browser()
    answer = sign_in(client, connect(provider.issuer), provider, "leaver")
    assert answer.redirect_chain[-1][0] == "/admin/login/inactive/"
    assert not is_in(client)


def test_an_address_that_two_have_is_nobodys(in_harbour: Tenant, provider: Provider) -> None:
    UserFactory.create_batch(2, email="two@example.com")
    provider.person("two", email="two@example.com", email_verified=True)
    client = browser()
    assert "Several members" in sign_in(client, connect(provider.issuer), provider, "two").content.decode()
    assert not is_in(client)


def test_operators_sign_in_but_nobody_becomes_one(database: None, provider: Provider) -> None:
    provider.person("olga", email="olga@example.com", email_verified=True)
    client = browser("localhost")
    with use_public():
        row = connect(provider.issuer)
        assert "Operators are invited" in sign_in(client, row, provider, "olga").content.decode()
        UserFactory.create(email="olga@example.com")
        sign_in(client, row, provider, "olga")
    assert is_in(client)


# --- what must fail ---------------------------------------------------------------------------------------------------


def test_another_companys_connection_isnt_there(in_harbour: Tenant, agency: Tenant, provider: Provider) -> None:
    with use_tenant(agency):
        foreign = connect(provider.issuer)
    client = browser()
    assert client.post(f"/admin/login/sso/{foreign.pk}/").status_code == 404
    assert client.get(f"/admin/login/sso/{foreign.pk}/callback/?code=x&state=y").status_code == 404
    assert "Example ID" not in client.get("/admin/login/").content.decode()


def test_a_connection_that_is_off_isnt_there(in_harbour: Tenant, provider: Provider) -> None:
    row = connect(provider.issuer, enabled=False)
    assert browser().post(f"/admin/login/sso/{row.pk}/").status_code == 404
    assert "Example ID" not in browser().get("/admin/login/").content.decode()


def test_an_answer_to_another_browser_or_a_second_time_opens_nothing(in_harbour: Tenant, provider: Provider) -> None:
    row = connect(provider.issuer)
    provider.person("ana", email="ana@example.com", email_verified=True)
    mine, theirs = browser(), browser()
    back = provider.signs_in("ana", at=begin(mine, row))
    begin(theirs, row)
    assert SORRY in come_back(theirs, back).content.decode()
    assert not is_in(theirs)
    come_back(mine, back)
    assert is_in(mine)
    mine.post("/admin/logout/")
    come_back(mine, back)
    assert not is_in(mine)


def test_who_says_no_at_the_provider_is_back_at_the_login(in_harbour: Tenant, provider: Provider) -> None:
    row = connect(provider.issuer)
    client = browser()
    state = parse_qs(urlsplit(begin(client, row)).query)["state"][0]
    answer = client.get(f"/admin/login/sso/{row.pk}/callback/?error=access_denied&state={state}", follow=True)
    assert SORRY in answer.content.decode()


def test_the_request_carries_pkce_a_nonce_and_no_say_of_the_visitors(in_harbour: Tenant, provider: Provider) -> None:
    row = connect(provider.issuer)
    client = browser()
    wishes = "scope=admin&auth_params=prompt%3Dnone&process=connect"
    asked = parse_qs(urlsplit(led_to(client.post(f"/admin/login/sso/{row.pk}/?{wishes}"))).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["nonce"][0]) == 64
    assert set(asked["scope"][0].split()) == {"openid", "profile", "email"}
    assert "prompt" not in asked


def cheated(client: Client, row: SsoConnection, cheat: Cheat) -> Any:
    state = cheat.heard(begin(client, row))
    return client.get(f"/admin/login/sso/{row.pk}/callback/?code=c&state={state}", follow=True)


def test_the_cheat_comes_in_when_it_doesnt_cheat(in_harbour: Tenant, cheat: Cheat) -> None:
    client = browser()
    cheated(client, connect(cheat.issuer), cheat)
    assert is_in(client)


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://elsewhere.example"},
        {"nonce": "another"},
        {"nonce": ""},
        {"aud": "another-client"},
        {"azp": "another-client"},
        {"exp": 1_700_000_000},
    ],
    ids=lambda claims: next(iter(claims)),
)
def test_an_id_token_that_is_wrong_opens_nothing(in_harbour: Tenant, cheat: Cheat, claims: dict[str, Any]) -> None:
    cheat.claims = claims
    client = browser()
    assert SORRY in cheated(client, connect(cheat.issuer), cheat).content.decode()
    assert not is_in(client)
    assert not User.objects.exists()


def unsigned(cheat: Cheat, claims: Mapping[str, Any]) -> str:
    return jwt.encode(dict(claims), None, algorithm="none", headers={"kid": "one"})  # type: ignore[arg-type]


def signed_with_the_public_key(cheat: Cheat, claims: Mapping[str, Any]) -> str:
    """HS256 with the text of the public key, which PyJWT itself refuses to make."""
    pem = cheat.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    parts = [
        urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": "HS256", "kid": "one"}, claims)
    ]
    mac = hmac.new(pem, b".".join(parts), hashlib.sha256).digest()
    return b".".join([*parts, urlsafe_b64encode(mac).rstrip(b"=")]).decode()


def signed_by_somebody_else(cheat: Cheat, claims: Mapping[str, Any]) -> str:
    return jwt.encode(dict(claims), rsa.generate_private_key(65537, 2048), algorithm="RS256", headers={"kid": "one"})


def signed_with_an_unknown_key(cheat: Cheat, claims: Mapping[str, Any]) -> str:
    return jwt.encode(dict(claims), cheat.key, algorithm="RS256", headers={"kid": "two"})


@pytest.mark.parametrize(
    "sign",
    [unsigned, signed_with_the_public_key, signed_by_somebody_else, signed_with_an_unknown_key, lambda *_: "x.y"],
)
def test_a_signature_that_is_none_opens_nothing(
    in_harbour: Tenant, cheat: Cheat, sign: Callable[[Cheat, Mapping[str, Any]], str]
) -> None:
    cheat.sign = sign
    client = browser()
    assert SORRY in cheated(client, connect(cheat.issuer), cheat).content.decode()
    assert not is_in(client)


def test_a_discovery_document_of_another_issuer_is_refused(in_harbour: Tenant, cheat: Cheat) -> None:
    cheat.discovery = {"issuer": "https://elsewhere.example"}
    row = connect(cheat.issuer)
    answer = browser().post(f"/admin/login/sso/{row.pk}/", follow=True)
    assert SORRY in answer.content.decode()


@pytest.mark.parametrize("endpoint", ["token_endpoint", "jwks_uri"])
def test_the_provider_cant_lead_us_into_the_network(
    in_harbour: Tenant, cheat: Cheat, provider_process: Provider, endpoint: str
) -> None:
    cheat.discovery = {endpoint: f"{provider_process.issuer}/secret"}
    client = browser()
    assert SORRY in cheated(client, connect(cheat.issuer), cheat).content.decode()


def test_redirects_of_the_provider_arent_followed(in_harbour: Tenant, cheat: Cheat) -> None:
    cheat.redirect = f"{cheat.issuer}/elsewhere"
    assert SORRY in browser().post(f"/admin/login/sso/{connect(cheat.issuer).pk}/", follow=True).content.decode()


def test_a_private_address_is_reached_only_where_the_operator_allows_it(in_harbour: Tenant, cheat: Cheat) -> None:
    row = connect(cheat.issuer)
    with override_settings(EGRESS_ALLOW=[]):
        assert SORRY in browser().post(f"/admin/login/sso/{row.pk}/", follow=True).content.decode()
        with pytest.raises(Invalid):
            connect(cheat.issuer, name="Another")


# --- settings ---------------------------------------------------------------------------------------------------------


def test_the_secret_is_encrypted_and_shown_nowhere(staff: Client, in_harbour: Tenant, provider: Provider) -> None:
    values = {
        "name": "Example ID",
        "issuer": provider.issuer,
        "client_id": "switchboard",
        "new_client_secret": "very secret",
        "email_domains": "example.com\n@Example.org",
        "new_member_role": "viewer",
        "enabled": "on",
    }
    assert staff.post("/admin/staff/ssoconnection/add/", values).status_code == 302
    row = SsoConnection.objects.get()
    assert (row.client_secret, row.email_domains) == ("very secret", ["example.com", "example.org"])
    with database.cursor() as cursor:
        cursor.execute("SELECT client_secret FROM staff_ssoconnection")
        assert "very secret" not in cursor.fetchone()[0]
    page = f"/admin/staff/ssoconnection/{row.pk}/change/"
    text = staff.get(page).content.decode()
    assert "very secret" not in text
    assert f"/admin/login/sso/{row.pk}/callback/" in text
    staff.post(page, {**values, "new_client_secret": "", "name": "Other ID"})
    row.refresh_from_db()
    assert (row.name, row.client_secret) == ("Other ID", "very secret")


def test_a_connection_that_cant_be_is_refused(in_harbour: Tenant) -> None:
    good = "https://id.example.com"
    for fields in (
        {"issuer": "http://id.example.com"},
        {"issuer": "ftp://id.example.com"},
        {"issuer": f"{good}?x=1"},
        {"email_domains": []},
        {"email_domains": ["not a domain"]},
        {"new_member_role": "king"},
    ):
        with pytest.raises(Invalid):
            connect(**{"issuer": good, **fields})
    connect(good)
    with pytest.raises(Conflict):
        connect(good)


def test_an_owner_asks_a_second_factor_of_all_on_the_settings_page(staff: Client, in_harbour: Tenant) -> None:
    assert staff.get("/admin/staff/signinpolicy/").status_code == 200
    staff.post("/admin/staff/signinpolicy/", {"require_second_factor": "on"})
    assert staff.get("/admin/")["Location"] == "/admin/second-factor/set-up/"


def test_who_signs_in_elsewhere_isnt_asked_for_our_second_factor(in_harbour: Tenant, provider: Provider) -> None:
    from tenants.staff.domain.second_factor import require_second_factor

    require_second_factor(required=True)
    provider.person("ana", email="ana@example.com", email_verified=True)
    client = browser()
    sign_in(client, connect(provider.issuer), provider, "ana")
    assert is_in(client)
    assert re.search("Agents", client.get("/admin/").content.decode())
