"""Asking a local HTTP server whether it is there."""

from __future__ import annotations

import http.client


def http_ready(port: int, path: str, *, host: str = "127.0.0.1", hostname: str = "localhost") -> bool:
    """Whether `GET path` answers 200.

    Args:
        host: address to connect to; the wildcard addresses mean loopback.
        hostname: sent as the Host header.
    """
    address = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - compared, not bound
    connection = http.client.HTTPConnection(address, port, timeout=5)
    try:
        connection.request("GET", path, headers={"Host": hostname, "Accept": "application/json"})
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
