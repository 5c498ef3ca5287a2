"""The platform's own tokens: minted, believed, and what is refused of those that somebody made up."""

import base64
import hashlib
import hmac
import json
import time
import uuid

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from tenants.context import current_scope, scope_of, use_public
from tenants.domain.api_keys import create_api_key
from tenants.models import SigningKey
from tenants.tokens import keyring, verification
from tenants.tokens.domain.minting import mint_token
from tenants.tokens.domain.signing_keys import active_key, revoke_signing_key, rotate_signing_key
from tenants.tokens.entries import TokenRefused
from tests.isolation import assert_problem

TOKENS = "/api/v1/tokens"


@pytest.fixture
def minted(in_harbour):
    return mint_token(contact="ada", session="s-1").token


def verify(token, tenant):
    verification.forget()
    return verification.verify_sync(token, scope_of(tenant))


def claims_of(token):
    return jwt.decode(token, options={"verify_signature": False})


def signed(claims, **header):
    """Signed with the platform's own key, whatever it says."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = active_key()
    private = load_pem_private_key(key.private_key.encode(), None)
    return jwt.encode(claims, private, "RS256", headers={"kid": key.kid, **header})


def assembled(header, claims, sign=lambda data: b"x" * 32):
    def part(value):
        text = value if isinstance(value, bytes) else json.dumps(value).encode()
        return base64.urlsafe_b64encode(text).rstrip(b"=")

    data = part(header) + b"." + part(claims)
    return (data + b"." + base64.urlsafe_b64encode(sign(data)).rstrip(b"=")).decode()


def test_a_token_says_whose_it_is_and_holds_at_that_tenant(minted, in_harbour):
    claims = claims_of(minted)
    assert (claims["sub"], claims["role"], claims["session"]) == ("ada", "contact", "s-1")
    assert claims["tenant"] == claims["aud"] == str(in_harbour.id)
    assert claims["exp"] - claims["iat"] == 3600
    found = verify(minted, in_harbour)
    assert (found.contact, found.session, found.agent) == ("ada", "s-1", None)


def test_a_token_of_one_company_is_none_of_anothers(minted, in_harbour, agency):
    with pytest.raises(TokenRefused):
        verify(minted, agency)
    other = signed({**claims_of(minted), "aud": str(agency.id)})  # its audience, but not its tenant
    with pytest.raises(TokenRefused):
        verify(other, agency)


def test_whoever_may_mint_mints(api, harbour):
    with use_public():
        narrow = create_api_key(tenant=harbour, name="x", scopes=["agents:read"])[1]
        minting = create_api_key(tenant=harbour, name="x", scopes=["tokens:mint"])[1]

    def post(key, **body):
        client = APIClient(HTTP_HOST="harbour.localhost", HTTP_AUTHORIZATION=f"Bearer {key}")
        return client.post(TOKENS, {"contact": "ada", **body})

    assert_problem(post(narrow), 403, "forbidden")
    made = post(minting, expires_in=60, agent=str(uuid.UUID(int=7)))
    assert made.status_code == 201, made.content
    assert made.json()["token_type"] == "Bearer"
    assert verify(made.json()["token"], harbour).agent == uuid.UUID(int=7)
    for body in ({"expires_in": 59}, {"expires_in": 86_401}, {"contact": ""}, {"contact": "x" * 201}, {"agent": "x"}):
        assert post(minting, **body).status_code == 422
    assert_problem(post(made.json()["token"]), 401, "not_authenticated")


def test_a_token_ends_with_the_api_key_that_it_was_minted_with(caller, harbour):
    from tenants.domain.api_keys import revoke_api_key

    with use_public():
        row, key = create_api_key(tenant=harbour, name="x", scopes=["tokens:mint"])
    client = APIClient(HTTP_HOST="harbour.localhost", HTTP_AUTHORIZATION=f"Bearer {key}")
    token = client.post(TOKENS, {"contact": "ada"}).json()["token"]
    assert verify(token, harbour)
    with use_public():
        revoke_api_key(key=row)
    with pytest.raises(TokenRefused):
        verify(token, harbour)


# --- made up ----------------------------------------------------------------------------------------------------------


def public_pem():
    return keyring._load("")[active_key().kid].public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def hs256_with_the_public_key(claims, kid):
    return assembled(
        {"alg": "HS256", "kid": kid}, claims, lambda data: hmac.new(public_pem(), data, hashlib.sha256).digest()
    )


def by_a_stranger(claims, kid, **header):
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return jwt.encode(claims, stranger, "RS256", headers={"kid": kid, **header})


def own_jwk(claims, kid):
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(stranger.public_key()))
    return jwt.encode(claims, stranger, "RS256", headers={"kid": kid, "jwk": jwk, "jku": "http://127.0.0.1:9/"})


ABUSE = {
    "alg none": lambda c, kid: assembled({"alg": "none", "kid": kid}, c, lambda data: b""),
    "alg none with a signature": lambda c, kid: assembled({"alg": "none", "kid": kid}, c),
    "alg None": lambda c, kid: assembled({"alg": "NonE", "kid": kid}, c),
    "no alg": lambda c, kid: assembled({"kid": kid}, c),
    "HS256 with the public key": hs256_with_the_public_key,
    "a stranger's key under our kid": by_a_stranger,
    "a stranger's key in the header": own_jwk,
    "an x5u in the header": lambda c, kid: by_a_stranger(c, kid, x5u="http://127.0.0.1:9/", x5c=["MII="]),
    "a kid nobody has": lambda c, kid: signed(c, kid="nobody"),
    "no kid": lambda c, kid: assembled({"alg": "RS256"}, c),
    "a kid that is a path": lambda c, kid: signed(c, kid="../../../dev/null"),
    "a kid that is SQL": lambda c, kid: signed(c, kid="x' UNION SELECT 'k"),
    "a kid that is a list": lambda c, kid: assembled({"alg": "RS256", "kid": [kid]}, c),
    "a huge kid": lambda c, kid: signed(c, kid="k" * 1000),
    "expired": lambda c, kid: signed({**c, "exp": int(time.time()) - 31}),
    "not yet": lambda c, kid: signed({**c, "nbf": int(time.time()) + 60}),
    "issued in the future": lambda c, kid: signed({**c, "iat": int(time.time()) + 60}),
    "no end": lambda c, kid: signed({name: value for name, value in c.items() if name != "exp"}),
    "an end that is no number": lambda c, kid: signed({**c, "exp": "tomorrow"}),
    "an endless end": lambda c, kid: assembled({"alg": "RS256", "kid": kid}, b'{"exp": 1e999}'),
    "another audience": lambda c, kid: signed({**c, "aud": "somebody"}),
    "no audience": lambda c, kid: signed({name: value for name, value in c.items() if name != "aud"}),
    "another issuer": lambda c, kid: signed({**c, "iss": "https://issuer.example.com"}),
    "an issuer that is a list": lambda c, kid: assembled({"alg": "RS256", "kid": kid}, {**c, "iss": [c["iss"]]}),
    "no issuer": lambda c, kid: signed({name: value for name, value in c.items() if name != "iss"}),
    "another tenant": lambda c, kid: signed({**c, "tenant": str(uuid.uuid4())}),
    "another role": lambda c, kid: signed({**c, "role": "owner"}),
    "nobody": lambda c, kid: signed({**c, "sub": ""}),
    "a name of spaces": lambda c, kid: signed({**c, "sub": "  "}),
    "a name with a NUL": lambda c, kid: signed({**c, "sub": "a\x00b"}),
    "a name that is a number": lambda c, kid: signed({**c, "sub": 7}),
    "a name without end": lambda c, kid: signed({**c, "sub": "x" * 201}),
    "an agent that is none": lambda c, kid: signed({**c, "agent": "all"}),
    "a critical header": lambda c, kid: signed(c, crit=["b64"], b64=False),
    "another kind of token": lambda c, kid: signed(c, typ="logout+jwt"),
    "a claim twice": lambda c, kid: assembled(
        {"alg": "RS256", "kid": kid}, json.dumps(c).encode()[:-1] + b', "sub": "eve"}'
    ),
    "a header twice": lambda c, kid: assembled(b'{"alg": "RS256", "alg": "none", "kid": "%s"}' % kid.encode(), c),
    "claims that are a list": lambda c, kid: assembled({"alg": "RS256", "kid": kid}, [c]),
    "JSON without end": lambda c, kid: assembled({"alg": "RS256", "kid": kid}, b"[" * 5000),
    "not JSON": lambda c, kid: assembled({"alg": "RS256", "kid": kid}, b"\xff\xfe" * 20),
    "truncated": lambda c, kid: signed(c)[:-20],
    "without its signature": lambda c, kid: signed(c).rsplit(".", 1)[0] + ".",
    "with a changed claim": lambda c, kid: changed(signed(c), {**c, "sub": "eve"}),
    "huge": lambda c, kid: signed({**c, "more": "x" * 9000}),
    "of dots": lambda c, kid: "..",
    "of words": lambda c, kid: "a.b.c",
    "with padding": lambda c, kid: signed(c) + "==",
    "with a line break": lambda c, kid: signed(c)[:-1] + "\n",
}


@pytest.mark.parametrize(
    ("seconds", "holds"), [(-20, True), (20, True), (-45, False), (45, False)], ids=lambda value: str(value)
)
def test_clocks_may_differ_by_half_a_minute(minted, in_harbour, seconds, holds):
    """A server whose clock is so many seconds off looks at a token in its first moment, or in its last."""
    now = int(time.time())
    begins, ends = {"iat": now, "nbf": now, "exp": now + 60}, {"iat": now - 60, "nbf": now - 60, "exp": now}
    moment = begins if seconds > 0 else ends
    token = signed({**claims_of(minted), **{name: value + seconds for name, value in moment.items()}})
    if holds:
        assert verify(token, in_harbour).contact == "ada"
        return
    with pytest.raises(TokenRefused):
        verify(token, in_harbour)


def changed(token, claims):
    header, _, signature = token.split(".")
    return f"{header}.{base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b'=').decode()}.{signature}"


@pytest.mark.parametrize("abuse", sorted(ABUSE))
def test_a_token_that_isnt_ours_is_refused(minted, in_harbour, abuse):
    kid = jwt.get_unverified_header(minted)["kid"]
    assert verify(signed(claims_of(minted)), in_harbour), "or this would show nothing"
    token = ABUSE[abuse](claims_of(minted), kid)
    with pytest.raises(TokenRefused):
        verify(token, in_harbour)
    with use_public():
        answer = Client(HTTP_HOST="harbour.localhost", HTTP_AUTHORIZATION=f"Bearer {token.strip()}").get(
            f"/api/v1/conversations/{uuid.uuid4()}"
        )
    assert answer.status_code == 401, answer.content


def test_the_same_token_unspoilt_holds(minted, in_harbour):
    """Or the tests above would show nothing."""
    assert verify(signed(claims_of(minted)), in_harbour).contact == "ada"
    assert verify(signed({**claims_of(minted), "exp": int(time.time()) - 20}), in_harbour), "clocks differ a little"


def test_a_token_names_no_tenant_on_the_platforms_host(minted):
    answer = Client(HTTP_HOST="localhost", HTTP_AUTHORIZATION=f"Bearer {minted}").get("/api/v1/conversations")
    assert_problem(answer, 401, "invalid_token")


# --- keys -------------------------------------------------------------------------------------------------------------


def published(host):
    with use_public():
        answer = Client(HTTP_HOST=host).get("/.well-known/jwks.json")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "public, max-age=300"
    return {key["kid"]: key for key in answer.json()["keys"]}


def test_public_keys_are_on_every_host_and_nothing_private_is(minted, in_harbour, agency):
    keys = published("harbour.localhost")
    assert published("agency.localhost") == published("localhost") == keys
    assert jwt.get_unverified_header(minted)["kid"] in keys
    assert all(set(key) == {"kty", "use", "alg", "kid", "n", "e"} for key in keys.values())
    key = keys[jwt.get_unverified_header(minted)["kid"]]
    assert jwt.decode(minted, jwt.PyJWK(key).key, algorithms=["RS256"], audience=str(in_harbour.id))["sub"] == "ada"


def aged(**ages):
    with use_public():
        SigningKey.objects.update(created_at=timezone.now() - timezone.timedelta(**ages))


def test_a_key_is_published_before_it_signs(in_harbour):
    before = published("localhost")
    aged(minutes=6)
    rotate_signing_key()
    assert jwt.get_unverified_header(mint_token(contact="ada").token)["kid"] in before
    with pytest.raises(Exception, match="published less than"):
        rotate_signing_key()


def test_a_rotation_logs_nobody_out(minted, in_harbour):
    for _ in range(3):
        rotate_signing_key(at_once=True)
        assert verify(minted, in_harbour).contact == "ada"
    assert verify(mint_token(contact="eve").token, in_harbour).contact == "eve"
    with use_public():
        assert SigningKey.objects.exclude(state="retired").count() == 2
        SigningKey.objects.filter(state="retired").update(retired_at=timezone.now() - timezone.timedelta(hours=25))
    with pytest.raises(TokenRefused):
        verify(minted, in_harbour)


def test_a_key_that_leaked_is_believed_no_more(minted, in_harbour):
    leaked = jwt.get_unverified_header(minted)["kid"]
    revoke_signing_key(kid=leaked)
    with pytest.raises(TokenRefused):
        verify(minted, in_harbour)
    assert leaked not in published("localhost")
    assert verify(mint_token(contact="eve").token, in_harbour)


def test_a_private_key_is_not_readable_in_the_database(minted):
    from django.db import connection

    with use_public(), connection.cursor() as cursor:
        cursor.execute("SELECT private_key FROM tenants_signingkey")
        assert all("PRIVATE" not in stored for (stored,) in cursor.fetchall())


def test_a_token_that_was_seen_costs_no_query_and_no_look_at_its_signature(
    minted, in_harbour, django_assert_num_queries, monkeypatch
):
    ask, scope = verification.verify_sync, current_scope()
    ask(minted, scope)
    with django_assert_num_queries(0):
        assert ask(minted, scope).contact == "ada"
        monkeypatch.setattr(verification.jwt, "decode", None)
        assert ask(minted, scope).contact == "ada"


def test_what_is_remembered_of_tokens_has_its_bounds(in_harbour, monkeypatch):
    monkeypatch.setattr(verification, "_MOST_REMEMBERED", 3)
    for number in range(6):
        verification.verify_sync(mint_token(contact=f"c{number}").token, current_scope())
    assert len(verification._verified) == 3
