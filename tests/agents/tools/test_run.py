"""Tools are called once, with arguments that fit, and whatever happens is a result."""

import asyncio
import uuid

import pytest

from agents.models import ToolCallRecord
from agents.tools import registry
from agents.tools.registry import register_tool
from agents.tools.results import LONGEST_TEXT
from agents.tools.run import run_tool
from knowledge.models import Collection
from switchboard.kernel.database import in_database
from switchboard.kernel.problems import Conflict
from tenants.context import use_tenant
from tests.agents.tools.calling import context_of, tool_of

pytestmark = pytest.mark.usefixtures("live_tenants", "in_harbour")
TABLE = '{"table": {"number": 7}, "guests": 2, "slots": ["19:00", "20:00"], "said": "{{ guests }}"}'
PARTY = {
    "type": "object",
    "properties": {"guests": {"type": "integer", "minimum": 1}, "name": {"type": "string", "pattern": "^[a-z]+$"}},
    "required": ["guests"],
    "additionalProperties": False,
}


@pytest.fixture
def tools():
    """Registered tools, of which none is left to the next test."""
    before = dict(registry._tools)
    yield register_tool
    registry._tools.clear()
    registry._tools.update(before)


def records():
    return in_database(lambda: list(ToolCallRecord.objects.all()))


def made():
    return in_database(Collection.objects.count)


def make(name):
    Collection.objects.create(name=name, slug=f"made-{uuid.uuid4().hex[:12]}")
    return {"made": name}


async def test_a_call_is_recorded_with_whom_it_acted_for(tools):
    @tools("test.double", description="Doubles.", input_schema=PARTY, writes=False)
    async def double(arguments, call):
        return {"double": arguments["guests"] * 2}

    context = context_of()
    result = await run_tool(tool=tool_of(handler="test.double"), arguments={"guests": 2}, context=context)
    assert (result.ok, result.data, result.text, result.is_untrusted) == (True, {"double": 4}, '{"double": 4}', False)
    (record,) = await records()
    assert (record.contact, record.turn_id, record.status) == ("ada", context.turn_id, "done")
    assert (record.conversation_id, record.tool, record.arguments) == (context.conversation_id, "a-tool", {"guests": 2})


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({}, "guests"),
        ({"guests": 0}, "guests"),
        ({"guests": "two"}, "guests"),
        ({"guests": 1, "spy": 1}, "spy"),
        ({"guests": 1, "name": "ADA"}, "name"),
        ([], ""),
        ({"guests": 1, "name": "a" * 40_000}, ""),
    ],
)
async def test_arguments_that_do_not_fit_are_told_by_field_and_nothing_happens(tools, arguments, field):
    called = []

    @tools("test.note", description="Notes.", input_schema={"type": "object"}, writes=False)
    async def note(arguments, call):
        called.append(arguments)

    tool = tool_of(handler="test.note", input_schema=PARTY)
    result = await run_tool(tool=tool, arguments=arguments, context=context_of())
    assert (result.ok, result.code) == (False, "tool_arguments_invalid")
    assert field in {error["field"] for error in result.data["errors"]}
    assert not called
    assert not await records()


async def test_a_schema_of_a_tenant_does_not_replace_that_of_the_tool(tools):
    @tools("test.note", description="Notes.", input_schema=PARTY, writes=False)
    async def note(arguments, call):
        raise AssertionError

    tool = tool_of(handler="test.note", input_schema={"type": "object", "properties": {"guests": {}}})
    result = await run_tool(tool=tool, arguments={"guests": "many"}, context=context_of())
    assert result.code == "tool_arguments_invalid"


async def test_a_call_that_is_over_is_not_made_again(tools):
    calls = []

    @tools("test.count", description="Counts.", input_schema={"type": "object"}, writes=False)
    async def count(arguments, call):
        calls.append(1)
        return len(calls)

    context, tool = context_of(), tool_of(handler="test.count")
    first = await run_tool(tool=tool, arguments={}, context=context)
    assert await run_tool(tool=tool, arguments={}, context=context) == first
    assert len(calls) == 1
    other = await run_tool(tool=tool, arguments={"x": 1}, context=context)
    assert other.code == "tool_call_reused"
    assert len(calls) == 1


async def test_at_once_an_effect_happens_once(tools):
    @tools("test.make", description="Makes.", input_schema={"type": "object"}, writes=True)
    async def make_one(arguments, call):
        await asyncio.sleep(0.05)
        return await call.commit(make, "Once")

    context, tool = context_of(), tool_of(handler="test.make")
    results = await asyncio.gather(*[run_tool(tool=tool, arguments={}, context=context) for _ in range(6)])
    assert {(result.ok, result.data["made"]) for result in results} == {(True, "Once")}
    assert await made() == 1


async def test_an_effect_that_fails_leaves_nothing_and_says_why(tools):
    def fail():
        make("Half")
        raise Conflict("table_taken", "That table is taken.")

    @tools("test.fail", description="Fails.", input_schema={"type": "object"}, writes=True)
    async def fail_late(arguments, call):
        return await call.commit(fail)

    result = await run_tool(tool=tool_of(handler="test.fail"), arguments={}, context=context_of())
    assert (result.ok, result.code) == (False, "table_taken")
    assert "That table is taken." in result.text
    assert await made() == 0
    assert [record.status for record in await records()] == ["failed"]


async def test_what_goes_wrong_is_a_result(tools):
    @tools("test.break", description="Breaks.", input_schema={"type": "object"}, writes=False)
    async def broken(arguments, call):
        raise ZeroDivisionError("a secret of ours")

    result = await run_tool(tool=tool_of(handler="test.break"), arguments={}, context=context_of())
    assert result.code == "tool_failed"
    assert "secret" not in result.text
    result = await run_tool(tool=tool_of(handler="test.nobody"), arguments={}, context=context_of())
    assert result.code == "tool_missing"


async def test_a_tool_that_takes_too_long_is_stopped(tools):
    @tools("test.sleep", description="Sleeps.", input_schema={"type": "object"}, writes=True)
    async def sleep(arguments, call):
        await asyncio.sleep(30)

    tool = tool_of(handler="test.sleep", timeout_seconds=0.05)
    result = await run_tool(tool=tool, arguments={}, context=context_of())
    assert result.code == "tool_timeout"


async def test_a_turn_that_is_stopped_leaves_its_call_to_end(tools):
    begun = asyncio.Event()

    @tools("test.make", description="Makes.", input_schema={"type": "object"}, writes=True)
    async def make_slowly(arguments, call):
        begun.set()
        await asyncio.sleep(0.1)
        return await call.commit(make, "Late")

    context, tool = context_of(), tool_of(handler="test.make")
    turn = asyncio.create_task(run_tool(tool=tool, arguments={}, context=context))
    await begun.wait()
    turn.cancel()
    with pytest.raises(asyncio.CancelledError):
        await turn
    for _ in range(100):
        if [record.status for record in await records()] == ["done"]:
            break
        await asyncio.sleep(0.02)
    assert (await run_tool(tool=tool, arguments={}, context=context)).data == {"made": "Late"}
    assert await made() == 1


async def test_a_preview_keeps_nothing(tools):
    @tools("test.make", description="Makes.", input_schema={"type": "object"}, writes=True)
    async def make_one(arguments, call):
        return await call.commit(make, "Never")

    result = await run_tool(tool=tool_of(handler="test.make"), arguments={}, context=context_of(is_preview=True))
    assert (result.ok, result.data) == (True, {"made": "Never"})
    assert await made() == 0


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("Table {{ table.number }} for {{ guests }}.", "Table 7 for 2."),
        ("{{ slots.1 }}", "20:00"),
        ("{{ result }}", TABLE),
        ("{{ said }}", "{{ guests }}"),
        (
            "{{ nothing.here }}",
            '{"table": {"number": 7}, "guests": 2, "slots": ["19:00", "20:00"], "said": "{{ guests }}"}',
        ),
    ],
)
async def test_the_output_template_shows_the_model_what_matters(tools, template, shown):
    @tools("test.table", description="Tables.", input_schema={"type": "object"}, writes=False)
    async def table(arguments, call):
        return {"table": {"number": 7}, "guests": 2, "slots": ["19:00", "20:00"], "said": "{{ guests }}"}

    tool = tool_of(handler="test.table", output_template=template)
    assert (await run_tool(tool=tool, arguments={}, context=context_of())).text == shown


async def test_a_long_result_is_shortened_and_hostile_characters_are_dropped(tools):
    @tools("test.flood", description="Floods.", input_schema={"type": "object"}, writes=False)
    async def flood(arguments, call):
        return "a\x00\ud800b" + "x" * 1_000_000

    result = await run_tool(tool=tool_of(handler="test.flood"), arguments={}, context=context_of())
    assert result.ok
    assert result.text.startswith("abxxx")
    assert len(result.text) <= LONGEST_TEXT
    assert "left out" in result.text


async def test_of_another_tenants_calls_nothing_is_known(tools, agency):
    @tools("test.count", description="Counts.", input_schema={"type": "object"}, writes=False)
    async def count(arguments, call):
        return "called"

    context, tool = context_of(), tool_of(handler="test.count")
    await run_tool(tool=tool, arguments={}, context=context)
    with use_tenant(agency):
        assert not await records()
        assert (await run_tool(tool=tool, arguments={}, context=context)).data == "called"
        assert len(await records()) == 1


async def test_a_schema_reaches_nowhere_and_costs_little(tools):
    @tools("test.note", description="Notes.", input_schema={"type": "object"}, writes=False)
    async def note(arguments, call):
        return "called"

    away = {"type": "object", "properties": {"x": {"$ref": "http://127.0.0.1:9/schema"}}}
    result = await run_tool(
        tool=tool_of(handler="test.note", input_schema=away), arguments={"x": 1}, context=context_of()
    )
    assert result.code == "tool_schema_unusable"
    endless = {"type": "object", "properties": {"x": {"$ref": "#/properties/x"}}}
    result = await run_tool(
        tool=tool_of(handler="test.note", input_schema=endless), arguments={"x": 1}, context=context_of()
    )
    assert result.code == "tool_schema_unusable"
    slow = {"type": "object", "properties": {"x": {"type": "string", "pattern": "^(a+)+$"}}}
    async with asyncio.timeout(5):
        result = await run_tool(
            tool=tool_of(handler="test.note", input_schema=slow), arguments={"x": "a" * 40 + "!"}, context=context_of()
        )
    assert result.code == "tool_arguments_invalid"
