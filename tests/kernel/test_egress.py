"""Addresses that users give: what is private stays out of reach, in whatever dress it comes."""

import asyncio
import contextlib
import socket

import httpcore2
import httpx2
import pytest

from switchboard.kernel.egress import EgressPolicy, EgressRefused, check_url, guarded_transport
from switchboard.kernel.problems import Invalid

PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",  # noqa: S104
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",  # clouds' metadata
    "100.64.0.1",  # carriers' own
    "192.0.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",  # metadata again
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "64:ff9b::7f00:1",  # NAT64
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::7f00:1",  # local-use NAT64
    "2002:7f00:1::",  # 6to4
    "2002:c0a8:101::1",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",  # Teredo to 127.0.0.1
    "2001:db8::1",
    "fec0::1",
]
# Forms that the system's resolver reads as 127.0.0.1, or as an address beside it.
DRESSED = ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0", "0x7f.1", "017700000001", "127.0.0.1."]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_refused(address):
    assert not EgressPolicy([]).permits("host.example", 443, address)


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808", "2002:808:808::"]
)
def test_public_addresses_are_reached(address):
    assert EgressPolicy([]).permits("host.example", 443, address)


@pytest.mark.parametrize("host", [*DRESSED, "localhost", "localhost."])
async def test_other_ways_to_write_loopback_are_refused(host):
    with pytest.raises((EgressRefused, httpcore2.ConnectError)):
        await EgressPolicy([]).resolve(host, 80, timeout=5)


def test_what_the_operator_lists_is_reached_and_nothing_beside_it():
    policy = EgressPolicy(["127.0.0.1:11434", "10.1.0.0/16", "[::1]:8080", "ollama.internal:80"])
    assert policy.permits("127.0.0.1", 11434, "127.0.0.1")
    assert not policy.permits("127.0.0.1", 11435, "127.0.0.1")
    assert not policy.permits("evil.example", 11434, "127.0.0.1")
    assert policy.permits("anything.example", 443, "10.1.2.3")
    assert policy.permits("anything.example", 443, "::ffff:10.1.2.3")
    assert not policy.permits("anything.example", 443, "10.2.0.1")
    assert policy.permits("::1", 8080, "::1")
    assert policy.permits("Ollama.Internal", 80, "10.9.9.9")


async def test_a_name_with_one_private_address_among_public_ones_is_refused():
    with resolver(["93.184.215.14", "127.0.0.1"]), pytest.raises(EgressRefused):
        await EgressPolicy([]).resolve("mixed.example", 443, timeout=5)


async def test_the_judged_address_is_the_one_connected_to():
    """DNS rebinding: a name that answers differently the second time gains nothing, for there is no second time."""
    async with listener() as port:
        with resolver(["127.0.0.1"], ["169.254.169.254"]) as questions:
            policy = EgressPolicy([f"rebind.example:{port}"])
            async with httpx2.AsyncClient(transport=guarded_transport(policy)) as client:
                assert (await client.get(f"http://rebind.example:{port}/")).text == "hello"
        assert questions == ["rebind.example"]


async def test_a_name_that_turns_private_is_refused_at_the_next_request():
    async with listener() as port:
        with resolver(["127.0.0.1"]):
            async with httpx2.AsyncClient(transport=guarded_transport(EgressPolicy([]))) as client:
                with pytest.raises(httpx2.ConnectError):
                    await client.get(f"http://turned.example:{port}/")


async def test_a_redirect_inwards_is_not_followed():
    async with listener(
        b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
    ) as port:
        policy = EgressPolicy([f"127.0.0.1:{port}"])
        async with httpx2.AsyncClient(transport=guarded_transport(policy)) as client:
            response = await client.get(f"http://127.0.0.1:{port}/")
    assert response.status_code == 302


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with listener() as port:
        policy = EgressPolicy([f"127.0.0.1:{port}"])
        async with httpx2.AsyncClient(transport=guarded_transport(policy), trust_env=False) as client:
            assert (await client.get(f"http://127.0.0.1:{port}/")).text == "hello"


async def test_a_name_that_is_not_there_is_said_so():
    with pytest.raises(httpcore2.ConnectError, match="can't be found"):
        await EgressPolicy([]).resolve("nowhere.invalid", 443, timeout=5)
    with pytest.raises(httpcore2.ConnectError, match="can't be found"):
        await EgressPolicy([]).resolve("x" * 70 + ".example", 443, timeout=5)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x",
        "file:///etc/passwd",
        "gopher://x",
        "//x",
        "x",
        "",
        "http://",
        "http://a:b@x",
        "http://a@x",
        "http://[::1",
        "http://x:99999",
    ],
)
def test_what_is_no_address_of_a_service_is_refused(url):
    with pytest.raises(Invalid):
        check_url(url, field="base_url")


@pytest.mark.parametrize(
    "url", ["https://api.example.com/v1", "http://127.0.0.1:11434/v1", "https://münchen.example/v1"]
)
def test_an_address_of_a_service_passes(url):
    assert check_url(url, field="base_url") == url


@contextlib.contextmanager
def resolver(*answers):
    """A name server of our own: each list is the answer to one question, the last to all that follow."""
    asked = []

    def getaddrinfo(host, port, family=0, type=0, proto=0, flags=0):  # noqa: A002
        name = host.decode() if isinstance(host, bytes) else host
        if not name.endswith(".example"):
            return original(host, port, family, type, proto, flags)
        addresses = answers[min(len(asked), len(answers) - 1)]
        asked.append(name)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    original = socket.getaddrinfo
    socket.getaddrinfo = getaddrinfo
    try:
        yield asked
    finally:
        socket.getaddrinfo = original


@contextlib.asynccontextmanager
async def listener(answer=b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"):
    """A web server on loopback that gives one answer to all."""

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
