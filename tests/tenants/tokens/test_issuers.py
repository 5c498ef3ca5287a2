"""Tokens of a tenant's own issuer: its keys are fetched with care, and its word counts at this tenant alone."""

import time

import pytest

from tenants.context import scope_of, use_tenant
from tenants.permissions import Permission
from tenants.tokens import jwks, verification
from tenants.tokens.entries import TokenRefused
from tenants.tokens.models import TokenIssuer
from tests.factories import IssuerFactory
from tests.isolation import assert_problem
from tests.resource_contract import ResourceContract
from tests.tenants.tokens.issuer_server import SigningPair, issuer_server

ISSUERS = "/api/v1/token-issuers"
ISS = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Pool"


class TestIssuers(ResourceContract):
    address = ISSUERS
    factory = IssuerFactory
    body = {
        "name": "Our pool",
        "issuer": ISS,
        "jwks_url": f"{ISS}/.well-known/jwks.json",
        "audience": "the-app",
        "algorithms": ["RS256"],
        "tenant_claim": "custom:tenant",
        "tenant_value": "harbour",
    }
    change = {"name": "Another pool", "enabled": False}
    reads, writes = Permission.SETTINGS_READ, Permission.SETTINGS_WRITE


@pytest.fixture
def server(settings):
    with issuer_server() as server:
        settings.EGRESS_ALLOW = [f"127.0.0.1:{server.port}"]
        yield server


@pytest.fixture
def pair(server):
    pair = SigningPair("one")
    server.keys = [pair.jwk]
    return pair


@pytest.fixture
def issuer(in_harbour, server):
    return IssuerFactory(issuer=ISS, jwks_url=server.url)


def claims(**more):
    now = int(time.time())
    return {"iss": ISS, "aud": "the-app", "sub": "ada", "iat": now, "exp": now + 600, **more}


def verify(token, tenant, *, afresh=True):
    if afresh:
        verification._verified.clear()
        verification.issuers.forget()
    return verification.verify_sync(token, scope_of(tenant))


def refuses(token, tenant, **more):
    with pytest.raises(TokenRefused):
        verify(token, tenant, **more)
    return True


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_tenants_own_issuer_is_believed(issuer, server, in_harbour, algorithm):
    pair = SigningPair("one", algorithm)
    server.keys = [pair.jwk]
    found = verify(pair.sign(claims()), in_harbour)
    assert (found.contact, found.issuer) == ("ada", ISS)


def test_its_word_counts_at_its_own_tenant_alone(issuer, pair, in_harbour, agency):
    token = pair.sign(claims())
    assert refuses(token, agency)
    with use_tenant(agency):
        IssuerFactory(issuer="https://other.example.com", jwks_url=issuer.jwks_url)
    assert refuses(token, agency)
    assert verify(token, in_harbour)


@pytest.mark.parametrize(
    "wrong",
    [
        {"iss": ISS + "/"},
        {"aud": "another-app"},
        {"aud": None},
        {"exp": 1},
        {"exp": None},
        {"nbf": 2**39},
        {"sub": None},
        {"sub": ""},
        {"sub": ["ada"]},
        {"iss": "https://localhost"},
    ],
)
def test_what_it_didnt_say_is_refused(issuer, pair, in_harbour, wrong):
    said = {name: value for name, value in claims(**wrong).items() if value is not None}
    assert refuses(pair.sign(said), in_harbour)


def test_a_key_serves_the_algorithm_it_is_made_for(issuer, pair, server, in_harbour):
    import hashlib
    import hmac

    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    from tests.tenants.tokens.test_tokens import assembled

    pem = pair.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for algorithm in ("HS256", "RS512", "PS256", "none"):
        token = assembled(
            {"alg": algorithm, "kid": "one"}, claims(), lambda data: hmac.new(pem, data, hashlib.sha256).digest()
        )
        assert refuses(token, in_harbour)
    TokenIssuer.objects.update(algorithms=["ES256"])
    assert refuses(pair.sign(claims()), in_harbour)


def test_keys_in_a_tokens_header_are_nothing_to_us(issuer, pair, server, in_harbour):
    stranger = SigningPair("one")
    assert verify(pair.sign(claims()), in_harbour)
    asked = server.asked
    assert refuses(stranger.sign(claims(), jwk=stranger.jwk, jku=server.url, x5u=server.url), in_harbour)
    assert server.asked == asked


def test_cognitos_claims(issuer, pair, in_harbour):
    TokenIssuer.objects.update(
        audience_claim="client_id",
        tenant_claim="custom:tenant",
        tenant_value="harbour",
        groups_claim="cognito:groups",
        required_group="guests",
        contact_prefix="pool:",
        session_claim="event_id",
    )
    good = {"client_id": "the-app", "custom:tenant": "harbour", "cognito:groups": ["guests"], "event_id": "e-1"}
    said = {name: value for name, value in claims(**good).items() if name != "aud"}
    found = verify(pair.sign(said), in_harbour)
    assert (found.contact, found.session) == ("pool:ada", "e-1")
    wrong = {"client_id": "other", "custom:tenant": "agency", "cognito:groups": "guests"}
    for name, value in wrong.items():
        assert refuses(pair.sign({**said, name: value}), in_harbour)
        assert refuses(pair.sign({key: one for key, one in said.items() if key != name}), in_harbour)


def test_an_issuer_that_is_disabled_or_removed_is_believed_no_more(issuer, pair, in_harbour):
    token = pair.sign(claims())
    assert verify(token, in_harbour)
    TokenIssuer.objects.update(enabled=False)
    assert refuses(token, in_harbour)
    TokenIssuer.objects.all().delete()
    assert refuses(token, in_harbour)


# --- fetching keys ----------------------------------------------------------------------------------------------------


def test_keys_are_fetched_once_and_again_for_a_new_one_after_a_pause(issuer, pair, server, in_harbour, monkeypatch):
    for _ in range(3):
        assert verify(pair.sign(claims()), in_harbour)
    assert server.asked == 1
    new = SigningPair("two")
    server.keys = [pair.jwk, new.jwk]
    assert refuses(new.sign(claims()), in_harbour), "made-up names don't make us ask again and again"
    assert server.asked == 1
    monkeypatch.setattr(jwks, "PAUSE_SECONDS", 0.0)
    assert verify(new.sign(claims()), in_harbour)
    assert server.asked == 2
    assert refuses(SigningPair("three").sign(claims()), in_harbour)
    assert verify(pair.sign(claims()), in_harbour)


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 302},
        {"body": b"<html>"},
        {"body": b"[]"},
        {"body": b'{"keys": {}}'},
        {"body": b" " * 300_000},
        {"delay": 1.0},
    ],
)
def test_keys_that_are_known_outlast_a_fetch_that_fails(issuer, pair, server, in_harbour, monkeypatch, fault):
    assert verify(pair.sign(claims()), in_harbour)
    monkeypatch.setattr(jwks, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(jwks, "TIMEOUT_SECONDS", 0.3)
    for name, value in fault.items():
        setattr(server, name, value)
    started = time.monotonic()
    assert refuses(SigningPair("two").sign(claims()), in_harbour)
    assert time.monotonic() - started < 10
    assert server.asked >= 2
    assert verify(pair.sign(claims()), in_harbour).contact == "ada"


def test_keys_that_arent_good_enough_are_passed_over(issuer, pair, server, in_harbour, monkeypatch):
    monkeypatch.setattr(jwks, "PAUSE_SECONDS", 0.0)
    weak = {**pair.jwk, "kid": "weak", "n": "wJ0"}
    server.keys = [{"kty": "oct", "k": "c2VjcmV0", "kid": "one"}, {"kty": "RSA", "kid": "broken"}, weak, pair.jwk]
    assert verify(pair.sign(claims()), in_harbour)
    server.keys = [{**pair.jwk, "use": "enc"}]
    jwks.forget()
    assert refuses(pair.sign(claims()), in_harbour)


def test_private_addresses_are_out_of_reach(issuer, pair, server, in_harbour, settings):
    settings.EGRESS_ALLOW = []
    assert refuses(pair.sign(claims()), in_harbour)
    assert server.asked == 0


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"issuer": "https://localhost"}, "issuer"),
        ({"jwks_url": "http://pool.example.com/jwks"}, "jwks_url"),
        ({"jwks_url": "ftp://pool.example.com/jwks"}, "jwks_url"),
        ({"jwks_url": "https://user:pass@pool.example.com"}, "jwks_url"),
        ({"algorithms": ["HS256"]}, "algorithms.0"),
        ({"algorithms": ["none"]}, "algorithms.0"),
        ({"algorithms": []}, "algorithms"),
        ({"tenant_claim": "custom:tenant"}, "tenant_value"),
        ({"required_group": "guests"}, "required_group"),
        ({"audience": ""}, "audience"),
        ({"contact_claim": ""}, "contact_claim"),
    ],
)
def test_an_issuer_that_cant_be_is_refused(caller, in_harbour, values, field):
    body = {"name": "x", "issuer": ISS, "jwks_url": f"{ISS}/jwks", "audience": "the-app", **values}
    answer = caller.post(ISSUERS, body)
    assert answer.status_code == 422, answer.content
    assert field in {error["field"] for error in answer.json()["errors"]}


def test_an_issuer_is_known_once(caller, in_harbour):
    IssuerFactory(issuer=ISS)
    body = {"name": "x", "issuer": ISS, "jwks_url": f"{ISS}/jwks", "audience": "the-app"}
    assert_problem(caller.post(ISSUERS, body), 409, "issuer_exists")


def test_staff_keep_issuers_in_the_admin(staff, in_harbour):
    form = {
        "name": "Pool",
        "issuer": ISS,
        "jwks_url": f"{ISS}/jwks",
        "audience": "the-app",
        "audience_claim": "aud",
        "algorithms": ["RS256"],
        "contact_claim": "sub",
        "enabled": "on",
    }
    staff.post("/admin/tokens/tokenissuer/add/", form)
    row = TokenIssuer.objects.get()
    assert (row.issuer, row.algorithms, row.enabled) == (ISS, ["RS256"], True)
    address = f"/admin/tokens/tokenissuer/{row.pk}/change/"
    page = staff.post(address, {**form, "jwks_url": "http://x.example"}, follow=True)
    assert "https alone" in page.content.decode()
    staff.post(f"/admin/tokens/tokenissuer/{row.pk}/change/", {**form, "name": "Ours"})
    assert TokenIssuer.objects.get().name == "Ours"
    staff.post(f"/admin/tokens/tokenissuer/{row.pk}/delete/", {"post": "yes"})
    assert not TokenIssuer.objects.exists()
