"""Which release a conversation is begun with, and who may say so."""

from __future__ import annotations

import uuid

from agents.domain.agents import configure_agent
from agents.models import Agent
from switchboard.kernel.database import in_database
from tenants.context import use_tenant
from tenants.models import Tenant
from tests.conversations.caller import Caller
from tests.factories import AgentFactory, ReleaseFactory


async def test_a_preview_is_talked_with_and_the_turn_says_who_served_it(hotel: Caller, harbour: Tenant) -> None:
    preview = await in_database(_preview_of, harbour, hotel.agent)
    body = {"agent": str(hotel.agent.id), "channel": "playground", "release": str(preview), "contact": "ada"}
    begun = (await hotel.http.request("POST", "/api/v1/conversations", body)).json()
    assert (begun["release"], begun["contact"]) == (str(preview), "ada")

    turn = (await hotel.say(uuid.UUID(begun["id"]), "Hello")).json()["turn"]
    told = (await hotel.http.request("GET", f"/api/v1/conversations/{begun['id']}/turns/{turn}")).json()
    assert told["release"] == str(preview)


async def test_a_release_of_another_agent_cannot_be_chosen(hotel: Caller, harbour: Tenant) -> None:
    foreign = await in_database(_release_of_another, harbour)
    body = {"agent": str(hotel.agent.id), "release": str(foreign)}
    refused = await hotel.http.request("POST", "/api/v1/conversations", body)
    assert (refused.status, refused.json()["code"]) == (422, "unknown_release")


async def test_a_paused_agent_says_so(hotel: Caller, harbour: Tenant) -> None:
    await in_database(_pause, harbour, hotel.agent)
    refused = await hotel.http.request("POST", "/api/v1/conversations", {"agent": str(hotel.agent.id)})
    assert (refused.status, refused.json()["code"]) == (409, "agent_paused")


def _preview_of(tenant: Tenant, agent: Agent) -> uuid.UUID:
    with use_tenant(tenant):
        identity: uuid.UUID = ReleaseFactory.create(agent=agent).id
        return identity


def _release_of_another(tenant: Tenant) -> uuid.UUID:
    with use_tenant(tenant):
        identity: uuid.UUID = AgentFactory.create().live_release_id
        return identity


def _pause(tenant: Tenant, agent: Agent) -> None:
    with use_tenant(tenant):
        configure_agent(agent=agent, status="paused")
