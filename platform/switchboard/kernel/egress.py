"""The guard on requests to addresses that users give: server-side request forgery ends here.

The name is resolved once, every address it has is judged, and the connection goes to the address that was judged, so a
name that changes its mind between check and use (DNS rebinding) gains nothing. Redirects are not followed.
See OWASP's Server-Side Request Forgery Prevention Cheat Sheet, and RFC 6890 for the special-purpose addresses.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Iterable
from typing import Any, Final

import httpcore2
import httpx2

from switchboard.kernel.problems import Invalid
from switchboard.kernel.tls import trust

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
NAT64 = ipaddress.ip_network("64:ff9b::/96")
# All IPv6 addresses that the internet routes lie in here (RFC 4291 §2.4). Outside are, among others, those that carry
# an IPv4 address in ways of their own: IPv4-compatible ones (::/96), a site's NAT64 (64:ff9b:1::/48).
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")


# More than the longest answer with every token in a chunk of its own.
LONGEST_RESPONSE: Final = 32 * 1024 * 1024


class EgressRefused(httpcore2.ConnectError):
    """The address is one that agents may not reach."""


def caused_by(error: BaseException | None, kind: type[BaseException]) -> bool:
    """Whether an exception is, or came of, one of a kind: clients wrap what their transport raises."""
    seen = 0
    while error is not None and seen < 10:
        if isinstance(error, kind):
            return True
        error, seen = error.__cause__ or error.__context__, seen + 1
    return False


class EgressPolicy:
    """Which addresses may be reached: public ones, and what the operator lists.

    Args:
        allow: `host:port` or CIDR entries (`EGRESS_ALLOW`).
    """

    def __init__(self, allow: Iterable[str]) -> None:
        self._pairs: set[tuple[str, int]] = set()
        self._networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
        for entry in allow:
            try:
                self._networks.append(ipaddress.ip_network(entry, strict=False))
            except ValueError:
                host, _, port = entry.rpartition(":")
                self._pairs.add((host.lower().strip("[]"), int(port)))

    def permits(self, host: str, port: int, address: str) -> bool:
        """Whether `host:port`, which resolved to `address`, may be reached."""
        if (host.lower(), port) in self._pairs:
            return True
        judged = _innermost(ipaddress.ip_address(address.partition("%")[0]))
        if any(judged in network for network in self._networks):
            return True
        if judged.version == 6 and judged not in GLOBAL_UNICAST:
            return False
        return judged.is_global and not judged.is_multicast

    async def resolve(self, host: str, port: int, *, timeout: float | None) -> str:
        """The address to connect to.

        Args:
            timeout: seconds that the look-up may take.

        Raises:
            EgressRefused: the name has an address that may not be reached, or none.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError(f"{host} can't be found") from error
        return self._judged(host, port, found)

    def resolve_now(self, host: str, port: int) -> str:
        """The same for a thread, which waits for the system's resolver. Raises like `resolve`."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError(f"{host} can't be found") from error
        return self._judged(host, port, found)

    def _judged(self, host: str, port: int, found: Iterable[Any]) -> str:
        addresses = [str(entry[4][0]) for entry in found]
        if not addresses or not all(self.permits(host, port, address) for address in addresses):
            raise EgressRefused(f"{host}:{port} is not an address that agents may reach")
        return addresses[0]


def _innermost(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one that merely carries it (mapped, 6to4, Teredo, NAT64)."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address.sixtofour:
            return address.sixtofour
        if address.teredo:
            return address.teredo[1]
        if address in NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


class _GuardedBackend(httpcore2.AsyncNetworkBackend):
    def __init__(self, policy: EgressPolicy) -> None:
        self._policy = policy
        self._inner = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        address = await self._policy.resolve(host, port, timeout=timeout)
        return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore2.AsyncNetworkStream:
        raise EgressRefused("unix sockets are not reachable")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


class _BoundedTransport(httpx2.AsyncHTTPTransport):
    """Whoever answers is a stranger: what is read of it is bounded, and nothing is inflated, so a byte stays a byte."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        request.headers["accept-encoding"] = "identity"
        response = await super().handle_async_request(request)
        if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
            await response.aclose()
            raise httpx2.RemoteProtocolError("the response is compressed although nobody asked for that")
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _BoundedStream(response.stream)
        return response


class _BoundedStream(httpx2.AsyncByteStream):
    def __init__(self, source: httpx2.AsyncByteStream) -> None:
        self._source = source

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = LONGEST_RESPONSE
        async for part in self._source:
            left -= len(part)
            if left < 0:
                raise httpx2.RemoteProtocolError("the response has no end")
            yield part

    async def aclose(self) -> None:
        await self._source.aclose()


def guarded_transport(policy: EgressPolicy, *, max_connections: int = 200) -> httpx2.AsyncHTTPTransport:
    """An httpx2 transport that reaches only what the policy permits, and reads `LONGEST_RESPONSE` bytes at most."""
    transport = _BoundedTransport(
        verify=trust(), limits=httpx2.Limits(max_connections=max_connections), trust_env=False
    )
    # httpx2 has no public way to hand its pool a network backend; the pool itself is httpcore2's public class.
    transport._pool = httpcore2.AsyncConnectionPool(
        ssl_context=trust(),
        max_connections=max_connections,
        max_keepalive_connections=max_connections // 4,
        keepalive_expiry=30.0,
        network_backend=_GuardedBackend(policy),
    )
    return transport


def check_url(url: str, *, field: str) -> str:
    """A http(s) URL with a host and no credentials in it, or a clear refusal. Where it leads is judged at each
    request.
    """
    try:
        parsed = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError):
        raise Invalid("invalid_url", "This is not a URL.", field=field) from None
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise Invalid("invalid_url", "The URL must begin with http:// or https:// and name a host.", field=field)
    if parsed.port is not None and not 0 < parsed.port < 65536:
        raise Invalid("invalid_url", "The port must be from 1 to 65535.", field=field)
    if parsed.userinfo:
        raise Invalid("invalid_url", "The URL must not hold a user name or password; use the key field.", field=field)
    return url
