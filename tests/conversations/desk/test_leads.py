"""Leads: taken down by agents, seen to by staff."""

import pytest

from agents.tools.run import run_tool
from conversations.desk.models import Lead
from switchboard.kernel.database import in_database
from tenants.audit.models import AuditEvent
from tenants.permissions import Permission
from tests.agents.tools.calling import context_of, tool_of
from tests.conversations.desk.factories import LeadFactory
from tests.resource_contract import ResourceContract


class TestLeads(ResourceContract):
    address = "/api/v1/leads"
    factory = LeadFactory
    reads, writes = Permission.CONVERSATIONS_READ, Permission.CONVERSATIONS_WRITE
    change = {"status": "won"}
    deletable = False


def captured(context, **arguments):
    return run_tool(tool=tool_of(handler="lead.capture"), arguments=arguments, context=context)


async def test_an_agent_takes_somebody_down_once(live_tenants, in_harbour):
    context = context_of(contact="")
    first = await captured(context, name="Ada", email="ada@example.com", interest="A house by the river")
    assert first.ok
    later = context_of(contact="", conversation_id=context.conversation_id)
    await captured(later, name="ada", phone="+44 1632 960871", email="ada@example.com")
    lead = await in_database(Lead.objects.get)
    assert (lead.interest, lead.phone) == ("A house by the river", "+44 1632 960871")
    assert lead.conversation_id == context.conversation_id
    noted = await in_database(lambda: list(AuditEvent.objects.filter(entity="lead")))
    assert noted
    assert not any("ada@example.com" in str(vars(event)) for event in noted)


@pytest.mark.parametrize("wrong", [{"name": "Ada"}, {"email": "ada@example.com"}, {"name": "Ada", "email": "no"}])
async def test_who_cant_be_reached_is_no_lead(live_tenants, in_harbour, wrong):
    result = await captured(context_of(), **wrong)
    assert result.code in {"tool_arguments_invalid", "invalid_email"}
    assert not await in_database(Lead.objects.exists)


def test_staff_see_to_leads(staff):
    row = LeadFactory(name="Grace")
    assert b"Grace" in staff.get("/admin/desk/lead/").content
    assert staff.post(f"/admin/desk/lead/{row.pk}/change/", {"status": "contacted"}).status_code == 302
    row.refresh_from_db()
    assert row.status == "contacted"
