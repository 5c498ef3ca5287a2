"""OpenID Connect providers in processes and threads of their own: a faithful one, and one that cheats as it is told."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from switchboard.launcher.ports import free_port


@dataclass
class Provider:
    """oidc-provider-mock, which speaks the protocol as it is written."""

    port: int

    @property
    def host_and_port(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def issuer(self) -> str:
        return f"http://{self.host_and_port}"

    def person(self, sub: str, **claims: Any) -> None:
        """Somebody with an account at the provider."""
        httpx2.put(f"{self.issuer}/users/{sub}", json=claims).raise_for_status()

    def signs_in(self, sub: str, *, at: str) -> str:
        """The person signs in at the provider's page; returns where they are sent from there."""
        answer = httpx2.post(at, data={"sub": sub})
        assert answer.status_code == 302, answer.text
        return str(answer.headers["location"])


@contextmanager
def running_provider() -> Iterator[Provider]:
    """The provider as a process."""
    provider = Provider(free_port())
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(provider.port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            try:
                httpx2.get(f"{provider.issuer}/.well-known/openid-configuration").raise_for_status()
                break
            except httpx2.HTTPError:
                assert process.poll() is None, "the provider ended"
                time.sleep(0.1)
        yield provider
    finally:
        process.terminate()
        process.wait(10)


Forge = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass
class Cheat:
    """What a hostile provider says. `claims` change the ID token; `sign` makes one out of the claims."""

    port: int
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    discovery: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    sign: Callable[[Cheat, Mapping[str, Any]], str] | None = None
    redirect: str = ""
    nonce: str = ""

    @property
    def host_and_port(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def issuer(self) -> str:
        return f"http://{self.host_and_port}"

    def signed(self, claims: Mapping[str, Any]) -> str:
        if self.sign:
            return self.sign(self, claims)
        return jwt.encode(dict(claims), self.key, algorithm="RS256", headers={"kid": "one"})

    def answer(self, path: str) -> dict[str, Any]:
        if path.endswith("openid-configuration"):
            found = {name: f"{self.issuer}/{name}" for name in ("authorization_endpoint", "token_endpoint")}
            found |= {
                "issuer": self.issuer,
                "jwks_uri": f"{self.issuer}/jwks",
                "userinfo_endpoint": f"{self.issuer}/me",
            }
            return {**found, **self.discovery}
        if path == "/jwks":
            public = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
            return {"keys": [{**public, "kid": "one", "use": "sig", "alg": "RS256"}]}
        now = int(time.time())
        usual = {
            "iss": self.issuer,
            "aud": "switchboard",
            "sub": "ana",
            "iat": now,
            "exp": now + 60,
            "nonce": self.nonce,
        }
        usual |= {"email": "ana@example.com", "email_verified": True}
        return {"access_token": "t", "token_type": "Bearer", "id_token": self.signed({**usual, **self.claims})}

    def heard(self, location: str) -> str:
        """Note what a browser is sent here with; returns the state."""
        asked = parse_qs(urlsplit(location).query)
        self.nonce = asked["nonce"][0]
        return asked["state"][0]


@contextmanager
def running_cheat() -> Iterator[Cheat]:
    """The hostile provider, in a thread."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if cheat.redirect:
                self.send_response(302)
                self.send_header("Location", cheat.redirect)
                self.end_headers()
                return
            body = json.dumps(cheat.answer(self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    cheat = Cheat(server.server_port)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield cheat
    finally:
        server.shutdown()
        server.server_close()
