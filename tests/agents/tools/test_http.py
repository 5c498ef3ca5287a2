"""HTTP tools: a request as its template says, wherever the arguments would have it go."""

import asyncio
import base64
import datetime as dt

import pytest
from django.utils import timezone

from agents.content.base import read
from agents.content.tool import ToolContent
from agents.models import ToolCallRecord
from agents.tools.http_service import pointed
from agents.tools.run import run_tool
from switchboard.kernel.database import in_database
from tests.agents.tools.calling import context_of, tool_of
from tests.agents.tools.service import service
from tests.factories import SecretFactory, ToolCredentialFactory, ToolFactory

pytestmark = pytest.mark.usefixtures("live_tenants", "in_harbour")
SCHEMA = {
    "type": "object",
    "properties": {"id": {"type": "string"}, "note": {"type": "string"}, "seats": {"type": "integer"}},
}


@pytest.fixture
async def shop(may_reach):
    async with service() as made:
        may_reach(f"127.0.0.1:{made.port}")
        yield made


async def ask(tool_url, arguments=None, context=None, http=None, **content):
    tool = tool_of(kind="http", handler=tool_url, input_schema=SCHEMA, http=http, **content)
    return await run_tool(tool=tool, arguments=arguments or {}, context=context or context_of())


async def test_a_request_is_made_of_its_templates(shop):
    shop.body = b'{"data": [{"price": 12.5, "name": "A room"}], "secret": "more"}'
    result = await ask(
        f"{shop.url}/rooms/{{{{ id }}}}?lang=en",
        {"id": "a/../b?x=1#&", "seats": 2, "note": 'say "hi"'},
        http={
            "method": "PUT",
            "query": [{"name": "for", "value": "{{ context.contact }}"}, {"name": "n", "value": "{{ nothing }}"}],
            "headers": [{"name": "X-Note", "value": "note: {{ note }}"}],
            "body": {"seats": "{{ seats }}", "text": "{{ note }}!", "gone": "{{ nothing }}", "fixed": [1, "{{ id }}"]},
            "result": [{"name": "price", "pointer": "/data/0/price"}, {"name": "nothing", "pointer": "/a/b"}],
        },
        output_template="It costs {{ price }}.",
    )
    (asked,) = shop.asked
    assert asked.method == "PUT"
    assert asked.target == "/rooms/a%2F..%2Fb%3Fx%3D1%23%26?lang=en&for=ada"
    assert asked.json == {"seats": 2, "text": 'say "hi"!', "fixed": [1, "a/../b?x=1#&"]}
    assert asked.headers["x-note"] == 'note: say "hi"'
    assert (result.ok, result.text, result.data) == (True, "It costs 12.5.", {"price": 12.5, "nothing": None})
    assert result.is_untrusted


@pytest.mark.parametrize("value", ["..", ".", "", "..."])
async def test_an_argument_leads_to_no_other_path(shop, value):
    result = await ask(f"{shop.url}/guests/{{{{ id }}}}/bill", {"id": value}, http={"method": "GET"})
    assert result.code == "tool_arguments_invalid"
    assert not shop.asked


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "é", "a\x00b\n"])
async def test_an_argument_adds_no_header(shop, value):
    http = {"headers": [{"name": "X-Note", "value": "{{ note }}"}]}
    result = await ask(f"{shop.url}/", {"note": value}, http=http)
    assert result.code == "tool_arguments_invalid"
    assert not shop.asked


async def test_the_contact_is_who_talks_whatever_the_model_says(shop):
    http = {"body": {"who": "{{ context.contact }}"}}
    tool = tool_of(kind="http", handler=f"{shop.url}/", http=http, input_schema={"type": "object"})
    await run_tool(tool=tool, arguments={"context.contact": "eve"}, context=context_of(contact="ada"))
    assert shop.asked[0].json == {"who": "ada"}


@pytest.mark.parametrize(
    ("http", "header", "sent"),
    [
        (None, "authorization", "Bearer me:pass"),
        ({"auth": "header", "auth_header": "X-Key"}, "x-key", "me:pass"),
        ({"auth": "basic"}, "authorization", "Basic " + base64.b64encode(b"me:pass").decode()),
        ({"auth": "none"}, "authorization", None),
    ],
)
async def test_the_secret_goes_where_the_tool_says(shop, http, header, sent):
    await in_database(SecretFactory, name="shop-key", value="me:pass")
    result = await ask(f"{shop.url}/", credentials="shop-key", http=http)
    assert result.ok
    assert shop.asked[0].headers.get(header) == sent
    record = await in_database(ToolCallRecord.objects.get)
    assert "me:pass" not in str(vars(record))


async def test_a_contacts_own_credentials_are_used_in_place_of_the_secret(shop):
    await in_database(SecretFactory, name="shop-key", value="the-shops")
    row = await in_database(ToolFactory, slug="shop")
    await in_database(ToolCredentialFactory, tool=row, contact="ada", value="adas-own")
    past = timezone.now() - dt.timedelta(minutes=1)
    await in_database(ToolCredentialFactory, tool=row, contact="old", value="expired", expires_at=past)

    async def as_whom(contact):
        tool = tool_of("shop", kind="http", handler=f"{shop.url}/", credentials="shop-key")
        return await run_tool(tool=tool, arguments={}, context=context_of(contact=contact))

    for contact in ("ada", "grace", ""):
        assert (await as_whom(contact)).ok
    sent = [asked.headers["authorization"] for asked in shop.asked]
    assert sent == ["Bearer adas-own", "Bearer the-shops", "Bearer the-shops"]
    assert (await as_whom("old")).code == "tool_credential_expired"
    assert len(shop.asked) == 3


async def test_a_secret_that_is_gone_is_said_so(shop):
    assert (await ask(f"{shop.url}/", credentials="nowhere")).code == "tool_secret_missing"
    assert not shop.asked


@pytest.mark.parametrize(
    ("status", "read", "write"),
    [
        (404, "tool_answered_error", "tool_answered_error"),
        (500, "tool_answered_error", "tool_result_unknown"),
        (302, "tool_redirected", "tool_result_unknown"),
    ],
)
async def test_what_a_service_refuses_is_told_and_what_it_left_open_too(shop, status, read, write):
    shop.status, shop.body = status, b'{"why": "no such room"}'
    shop.headers = {"Location": "http://169.254.169.254/latest"}
    result = await ask(f"{shop.url}/")
    assert (result.ok, result.code) == (False, read)
    assert (await ask(f"{shop.url}/", writes=True)).code == write
    assert len(shop.asked) == 2


async def test_a_service_that_hangs_is_left(shop):
    async def hang():
        await asyncio.sleep(5)

    shop.before = hang
    assert (await ask(f"{shop.url}/", timeout_seconds=0.3)).code == "tool_timeout"
    assert (await ask(f"{shop.url}/", timeout_seconds=0.3, writes=True)).code == "tool_result_unknown"


async def test_a_service_that_is_away_has_done_nothing(may_reach):
    may_reach("127.0.0.1:9")
    assert (await ask("http://127.0.0.1:9/", writes=True)).code == "tool_unreachable"


async def test_an_answer_without_end_is_not_read(shop):
    shop.body = b"x" * (2 * 1024 * 1024)
    assert (await ask(f"{shop.url}/")).code == "tool_result_too_large"


async def test_an_answer_that_is_no_json_is_text(shop):
    shop.body = b"Plain \x00 words " + b"[" * 5000
    result = await ask(f"{shop.url}/")
    assert result.ok
    assert result.text.startswith("Plain  words")


async def test_a_write_carries_its_key_and_is_made_again_only_where_that_is_kept(shop):
    async def never_written_down(context, **http):
        await ask(f"{shop.url}/", writes=True, context=context, http=http)
        await in_database(
            lambda: ToolCallRecord.objects.filter(turn_id=context.turn_id).update(status="running", finished_at=None)
        )
        return await ask(f"{shop.url}/", writes=True, context=context, http=http)

    one, other = context_of(), context_of()
    unknown = await never_written_down(one)
    assert (unknown.ok, unknown.code) == (False, "tool_result_unknown")
    assert len(shop.asked) == 1
    kept = await never_written_down(other, keeps_idempotency_key=True)
    assert kept.ok
    keys = [asked.headers["idempotency-key"] for asked in shop.asked]
    assert keys == [one.key, other.key, other.key]


async def test_a_read_that_was_cut_off_is_made_again(shop):
    context = context_of()
    await ask(f"{shop.url}/", context=context)
    await in_database(lambda: ToolCallRecord.objects.update(status="running"))
    assert (await ask(f"{shop.url}/", context=context)).ok
    assert len(shop.asked) == 2


async def test_a_preview_sends_nothing_that_changes_something(shop):
    result = await ask(f"{shop.url}/", writes=True, context=context_of(is_preview=True))
    assert result.ok
    assert "preview" in result.text
    assert not shop.asked


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"handler": "https://{{ id }}.example.com/"}, "handler"),
        ({"handler": "https://example.com:{{ id }}/"}, "handler"),
        ({"handler": "https://example.com@{{ id }}/"}, "handler"),
        ({"handler": "https://me:pass@example.com/"}, "handler"),
        ({"handler": "https://example.com/{{ other }}"}, "handler"),
        ({"http": {"headers": [{"name": "Host", "value": "x"}]}}, "http.headers.0.name"),
        ({"http": {"headers": [{"name": "Authorization", "value": "x"}]}}, "http.headers.0.name"),
        ({"http": {"headers": [{"name": "X-A", "value": "{{ other }}"}]}}, "http.headers.0.value"),
        ({"http": {"body": {"a": ["{{ other }}"]}}}, "http.body"),
        ({"http": {"auth": "header"}}, "http.auth_header"),
        ({"http": {"result": [{"name": "a", "pointer": "data"}]}}, "http.result.0.pointer"),
        ({"http": {"method": "GET", "body": {}}}, "http.body"),
        ({"kind": "knowledge", "handler": "", "http": {}}, "http"),
    ],
)
def test_a_request_that_cant_be_is_not_published(change, field):
    content = {"kind": "http", "description": "Asks.", "handler": "https://example.com/", "input_schema": SCHEMA}
    assert not read(ToolContent, {**content, "handler": "https://example.com/{{ id }}"})[1]
    assert field in {fault.field for fault in read(ToolContent, {**content, **change})[1]}


@pytest.mark.parametrize(
    ("pointer", "found"),
    [("", {"a/b": [1, {"~": 2}]}), ("/a~1b/0", 1), ("/a~1b/1/~0", 2), ("/a~1b/9", None), ("/x/y", None)],
)
def test_a_pointer_finds_what_it_points_at(pointer, found):
    assert pointed({"a/b": [1, {"~": 2}]}, pointer) == found
