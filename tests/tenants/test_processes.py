"""What ends in one process ends in all: keys, and what they opened."""

import time

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
