"""The guard on addresses that users give, for the clients that speech providers are reached with.

`switchboard.kernel.egress` says which addresses those are. Here are a session of aiohttp and a client of httpx that
connect to the address that was judged and to no other, and that wait for an answer no longer than a call can.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any, Final

import aiohttp
import httpcore2
import httpx2
from aiohttp.abc import AbstractResolver, ResolveResult
from django.conf import settings

from switchboard.kernel.egress import EgressPolicy, guarded_transport

CONNECT_SECONDS: Final = 3.0
# Until the first byte of a voice, and between two: somebody listens to the silence meanwhile.
VOICE_SECONDS: Final = 4.0
# Until somebody's words are back as text: a whole utterance is read, and a server of one's own may be slow.
TEXT_SECONDS: Final = 8.0
_SOUND: Final = ("audio/", "application/octet-stream", "text/event-stream")


def speech_url() -> str:
    """Where our own speech server is; empty where there is none."""
    return str(settings.SPEECH_URL).rstrip("/")


def host_and_port(base_url: str) -> str:
    """Where an address leads, as EGRESS_ALLOW lists it."""
    url = httpx2.URL(base_url)
    return f"{url.host}:{url.port or (443 if url.scheme == 'https' else 80)}".lower()


def is_listed(base_url: str) -> bool:
    """Whether the operator has listed an address by name: for clients that look names up by themselves, so that no
    address can be judged and then held to.
    """
    return host_and_port(base_url) in {entry.lower() for entry in settings.EGRESS_ALLOW}


def policy() -> EgressPolicy:
    """What may be reached: as for all that agents reach, and the speech server of our own."""
    address = speech_url()
    return EgressPolicy([*settings.EGRESS_ALLOW, *([host_and_port(address)] if address else [])])


class GuardedResolver(AbstractResolver):
    """Looks a name up once, judges every address it has, and gives the one that was judged."""

    def __init__(self, policy: EgressPolicy) -> None:
        self._policy = policy

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        try:
            address = await self._policy.resolve(host, port, timeout=CONNECT_SECONDS)
        except (httpcore2.ConnectError, TimeoutError) as error:
            # What aiohttp knows as "the name can't be found".
            raise OSError(str(error)) from error
        kind = socket.AF_INET6 if ipaddress.ip_address(address.partition("%")[0]).version == 6 else socket.AF_INET
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=kind,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
        ]

    async def close(self) -> None:
        return None


class GuardedConnector(aiohttp.TCPConnector):
    """A connector of aiohttp that reaches only what the policy permits, redirects included."""

    def __init__(self, policy: EgressPolicy, **options: Any) -> None:
        super().__init__(resolver=GuardedResolver(policy), use_dns_cache=False, **options)
        self._policy = policy

    async def connect(self, req: Any, traces: Any, timeout: aiohttp.ClientTimeout) -> Any:
        # aiohttp asks its resolver about names alone: an address in figures is judged here.
        host, port = req.url.raw_host or "", req.url.port or 0
        try:
            ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            pass
        else:
            if not self._policy.permits(host, port, host):
                raise aiohttp.ClientConnectionError(f"{host}:{port} is not an address that agents may reach")
        return await super().connect(req, traces, timeout)


def open_http() -> aiohttp.ClientSession:
    """A session for the parts of `build_speech`; whoever opens it closes it when the call is over.

    Answers of providers are read without cookies, proxies of the environment, or redirects to elsewhere than agents
    may reach.
    """
    return aiohttp.ClientSession(
        connector=GuardedConnector(policy(), limit=100),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
        trust_env=False,
    )


def is_guarded(http: aiohttp.ClientSession) -> bool:
    """Whether a session is one of `open_http`."""
    return isinstance(http.connector, GuardedConnector)


class _Prompt(httpx2.AsyncBaseTransport):
    """Waits for bytes no longer than it is told, whatever a client asks for: the plugins would wait for 30 seconds.

    Args:
        is_voice: whether answers are sound. The plugin would play an error page as noise.
    """

    def __init__(self, inner: httpx2.AsyncBaseTransport, seconds: float, *, is_voice: bool) -> None:
        self._inner = inner
        self._seconds = seconds
        self._is_voice = is_voice

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        timeout = dict(request.extensions.get("timeout") or {})
        timeout["read"] = min(timeout.get("read") or self._seconds, self._seconds)
        timeout["connect"] = min(timeout.get("connect") or CONNECT_SECONDS, CONNECT_SECONDS)
        request.extensions = {**request.extensions, "timeout": timeout}
        response = await self._inner.handle_async_request(request)
        kind = response.headers.get("content-type", "").strip().lower()
        if self._is_voice and response.status_code == 200 and kind and not kind.startswith(_SOUND):
            await response.aclose()
            raise httpx2.RemoteProtocolError("what came is no sound")
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


def guarded_client(*, is_voice: bool) -> httpx2.AsyncClient:
    """A client for what speaks OpenAI's protocol over HTTP.

    Args:
        is_voice: whether it fetches sound, and not text.
    """
    transport = guarded_transport(policy(), max_connections=20)
    seconds = VOICE_SECONDS if is_voice else TEXT_SECONDS
    return httpx2.AsyncClient(
        transport=_Prompt(transport, seconds, is_voice=is_voice), follow_redirects=False, trust_env=False
    )


class PromptSession:
    """A session's `post`, with the same patience: for the plugin that asks for 30 seconds."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http

    def post(self, url: str, *, timeout: aiohttp.ClientTimeout, **options: Any) -> Any:
        """`aiohttp.ClientSession.post`."""
        patient = aiohttp.ClientTimeout(total=timeout.total, sock_connect=CONNECT_SECONDS, sock_read=VOICE_SECONDS)
        return self._http.post(url, timeout=patient, allow_redirects=False, **options)
