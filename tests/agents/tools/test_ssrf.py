"""Tools reach no address that is ours, in whatever dress it comes."""

import socket

import pytest

from agents.tools.run import run_tool
from tests.agents.tools.calling import context_of, tool_of
from tests.agents.tools.service import service
from tests.kernel.test_egress import resolver

pytestmark = pytest.mark.usefixtures("live_tenants", "in_harbour")
FORMS = [
    "http://127.0.0.1:{port}/",
    "http://localhost:{port}/",
    "http://localhost.:{port}/",
    "http://2130706433:{port}/",  # decimal
    "http://0x7f000001:{port}/",  # hexadecimal
    "http://0x7f.0.0.1:{port}/",
    "http://0177.0.0.1:{port}/",  # octal
    "http://017700000001:{port}/",
    "http://127.1:{port}/",
    "http://0:{port}/",
    "http://0.0.0.0:{port}/",
    "http://[::1]:{port}/",
    "http://[::]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.0.1/",
    "http://100.64.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://[fe80::1]/",
    "http://[fc00::1]/",
    "http://①②⑦.⓪.⓪.①:{port}/",
    "http://127.0.0.1%2f.example.com:{port}/",
]


def call(url, **content):
    tool = tool_of(kind="http", handler=url, timeout_seconds=5, http={"method": "GET"}, **content)
    return run_tool(tool=tool, arguments={}, context=context_of())


@pytest.mark.parametrize("form", FORMS)
async def test_no_form_of_an_inner_address_is_reached(may_reach, form):
    may_reach()
    async with service() as ours:
        result = await call(form.format(port=ours.port))
        assert (result.ok, ours.asked) == (False, [])
        assert result.code in {"tool_address_refused", "tool_unreachable"}
        # What it is that answers there, or doesn't, is nobody's to learn.
        assert "127" not in result.text


async def test_a_redirect_inwards_is_not_followed(may_reach):
    async with service() as theirs, service() as ours:
        may_reach(f"127.0.0.1:{theirs.port}")
        theirs.status, theirs.headers = 302, {"Location": f"{ours.url}/"}
        result = await call(f"{theirs.url}/")
        assert (result.code, ours.asked) == ("tool_redirected", [])


async def test_a_name_that_changes_its_mind_is_asked_once(may_reach):
    async with service() as theirs:
        may_reach(f"rebind.example:{theirs.port}")
        with resolver(["127.0.0.1"], ["169.254.169.254"]) as asked:
            assert (await call(f"http://rebind.example:{theirs.port}/")).ok
        assert asked == ["rebind.example"]


async def test_a_name_that_leads_inwards_is_refused(may_reach):
    may_reach()
    async with service() as ours:
        for addresses in (["127.0.0.1"], ["93.184.215.14", "127.0.0.1"], ["169.254.169.254"]):
            with resolver(addresses):
                result = await call(f"http://inner.example:{ours.port}/")
            assert (result.code, ours.asked) == ("tool_address_refused", [])


async def test_a_service_of_the_operators_choice_is_reached(may_reach):
    async with service() as ours:
        may_reach(f"127.0.0.1:{ours.port}")
        assert (await call(f"{ours.url}/")).ok
        assert socket.gethostbyname("127.1") == "127.0.0.1"  # the forms above mean what they are said to
