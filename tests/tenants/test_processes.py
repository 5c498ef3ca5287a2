"""What ends in one process ends in all: keys, and what they opened."""

import time
import uuid

from django.core.management import call_command

from tenants.context import use_public
from tenants.domain.api_keys import create_api_key
from tests.tenants.two_servers import two_servers

KEYS = "/api/v1/api-keys"
HOST = "harbour.localhost"
# What the platform promises, from the answer to the revocation to the last process' refusal.
PROMISED_SECONDS = 5.0


def test_a_leaked_key_that_is_revoked_stops_everywhere(live_tenants, harbour):
    with use_public():
        leaked, text = create_api_key(tenant=harbour, name="Leaked")
        owner = create_api_key(tenant=harbour, name="Owner")[1]
    bearer = {"Authorization": f"Bearer {text}"}
    with two_servers() as servers:
        for server in servers:
            assert server.call(HOST, "GET", KEYS, **bearer)[0] == 200
        revoked = servers[0].call(HOST, "DELETE", f"{KEYS}/{leaked.pk}", Authorization=f"Bearer {owner}")
        assert revoked[0] == 204
        deadline = time.monotonic() + PROMISED_SECONDS
        waiting = set(servers)
        while waiting and time.monotonic() < deadline:
            # Asked again and again: being used keeps no key alive.
            waiting = {server for server in waiting if server.call(HOST, "GET", KEYS, **bearer)[0] == 200}
        assert not waiting, "a process still takes the key"
        for server in servers:
            assert server.call(HOST, "GET", KEYS, **bearer)[1]["code"] == "invalid_api_key"
            assert server.call(HOST, "GET", KEYS, Authorization=f"Bearer {owner}")[0] == 200


def test_signing_keys_are_rotated_and_nobody_is_logged_out(live_tenants, harbour):
    with use_public():
        owner = create_api_key(tenant=harbour, name="Owner")[1]
    somewhere = f"/api/v1/conversations/{uuid.uuid4()}"

    def mint(server):
        made = server.call(HOST, "POST", "/api/v1/tokens", {"contact": "ada"}, Authorization=f"Bearer {owner}")
        assert made[0] == 201, made
        return made[1]["token"]

    def admitted(server, token):
        status, answer = server.call(HOST, "GET", somewhere, Authorization=f"Bearer {token}")
        assert (status, answer["code"]) in {(404, "not_found"), (401, "invalid_token")}
        return status == 404

    def kids(server):
        return {key["kid"] for key in server.call(HOST, "GET", "/.well-known/jwks.json")[1]["keys"]}

    with two_servers() as servers:
        one, other = servers
        tokens = [mint(one)]
        known = kids(other)
        for _ in range(2):
            with use_public():
                call_command("rotate_signing_key", at_once=True)
            tokens.append(mint(other))
            # At once, on both: who was let in stays in, and the new key is known already.
            assert all(admitted(server, token) for server in servers for token in tokens)
        assert known < kids(one) == kids(other)
        import jwt

        leaked = jwt.get_unverified_header(tokens[-1])["kid"]
        with use_public():
            call_command("rotate_signing_key", revoke=leaked)
        deadline = time.monotonic() + PROMISED_SECONDS
        waiting = set(servers)
        while waiting and time.monotonic() < deadline:
            waiting = {server for server in waiting if admitted(server, tokens[-1])}
        assert not waiting, "a process still takes a token of the key that leaked"
        assert all(admitted(server, token) for server in servers for token in tokens[:-1])
