"""An identity provider of a tenant's own: keys, tokens signed with them, and a server with the public halves."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm


class SigningPair:
    """A key pair with a name."""

    def __init__(self, kid: str, algorithm: str = "RS256") -> None:
        self.kid, self.algorithm = kid, algorithm
        self.private: Any
        if algorithm == "ES256":
            self.private = ec.generate_private_key(ec.SECP256R1())
            self.jwk = json.loads(ECAlgorithm.to_jwk(self.private.public_key()))
        else:
            self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            self.jwk = json.loads(RSAAlgorithm.to_jwk(self.private.public_key()))
        self.jwk |= {"kid": kid, "use": "sig", "alg": algorithm}
        self.jwk.pop("key_ops", None)

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        """A token."""
        return jwt.encode(claims, self.private, self.algorithm, headers={"kid": self.kid, **header})


class IssuerServer:
    """Publishes `keys` at `url`; `asked` counts the requests."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}/jwks.json"
        self.keys: list[dict[str, Any]] = []
        self.asked = 0
        self.status = 200
        self.body: bytes | None = None
        self.delay = 0.0


@contextmanager
def issuer_server() -> Iterator[IssuerServer]:
    """A server for the length of a block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked += 1
            time.sleep(server.delay)
            body = server.body if server.body is not None else json.dumps({"keys": server.keys}).encode()
            self.send_response(server.status)
            self.send_header("Content-Length", str(len(body)))
            if server.status == 302:
                self.send_header("Location", f"http://127.0.0.1:{server.port}/elsewhere")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server = IssuerServer(listening.server_port)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()
