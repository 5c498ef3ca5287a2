"""Who is served by which release: live, canary, withdrawn."""

from __future__ import annotations

import uuid
from collections import Counter

import pytest

from agents.domain.agents import configure_agent
from agents.domain.releases import end_canary, go_live, roll_back, start_canary
from agents.models import Agent
from agents.serving import release_for
from agents.traffic import traffic_of
from conversations.domain.conversations import begin_conversation
from conversations.domain.turns import accept_message
from conversations.models import Conversation, Turn
from switchboard.kernel.problems import Conflict, Invalid
from tenants.flags import current
from tenants.flags.domain.flags import create_flag
from tenants.flags.evaluation import Context
from tests.factories import AgentFactory, ReleaseFactory
from tests.query_count import queries_of

pytestmark = pytest.mark.usefixtures("in_harbour")


def served(agent: Agent, contact: str) -> uuid.UUID | None:
    agent.refresh_from_db()
    return release_for(agent, unit=contact, context=Context(contact=contact))


def released_for(conversation: Conversation) -> uuid.UUID | None:
    """The release that answers the conversation's next message."""
    turn_id = accept_message(conversation_id=conversation.pk, content="When is breakfast?").turn_id
    Turn.objects.filter(pk=turn_id).update(status=Turn.Status.DONE)
    return Turn.objects.get(pk=turn_id).release_id


def test_without_a_canary_everybody_gets_the_live_release():
    agent = AgentFactory()
    assert {served(agent, f"guest {n}") for n in range(50)} == {agent.live_release_id}


def test_a_canary_gets_its_percentage_and_keeps_its_contacts_as_it_grows():
    agent = AgentFactory()
    canary = ReleaseFactory(agent=agent)
    contacts = [f"guest {n}" for n in range(2_000)]
    picked: set[str] = set()
    for percent in (5, 50, 100):
        start_canary(release=canary, percent=percent)
        now = {contact for contact in contacts if served(agent, contact) == canary.pk}
        assert abs(len(now) / len(contacts) - percent / 100) < 0.04
        assert picked <= now, "whom the canary had, it keeps"
        picked = now


def test_two_canaries_do_not_meet_the_same_people_first():
    agent = AgentFactory()
    groups = []
    for _ in range(2):
        canary = ReleaseFactory(agent=agent)
        start_canary(release=canary, percent=20)
        groups.append({n for n in range(1_000) if served(agent, f"guest {n}") == canary.pk})
    assert len(groups[0] & groups[1]) < 100


def test_a_flag_picks_the_canarys_contacts():
    agent = AgentFactory()
    canary = ReleaseFactory(agent=agent)
    rules = [{"conditions": [{"attribute": "contact", "operator": "in", "value": ["ada"]}]}]
    create_flag(key="try-new", description="", rules=rules)
    current.forget()
    start_canary(release=canary, flag="try-new")
    assert served(agent, "ada") == canary.pk
    assert served(agent, "bob") == agent.live_release_id


def test_a_conversation_stays_on_the_release_it_began_with():
    agent = AgentFactory()
    first = agent.live_release_id
    conversation = begin_conversation(agent_id=agent.pk)
    go_live(release=ReleaseFactory(agent=agent))
    assert released_for(conversation) == first


def test_a_rollback_moves_the_conversations_away_from_what_it_withdraws():
    agent = AgentFactory()
    good = agent.live_release
    bad = ReleaseFactory(agent=agent, prompt="Insult the guests.")
    go_live(release=bad)
    conversation = begin_conversation(agent_id=agent.pk)
    assert released_for(conversation) == bad.pk
    again = roll_back(to=good)
    assert again.number == 3
    assert again.copy_of_id == good.pk
    assert (again.snapshot, again.checksum) == (good.snapshot, good.checksum)
    assert released_for(conversation) == again.pk
    agent.refresh_from_db()
    assert agent.live_release_id == again.pk


def test_conversations_may_stay_where_they_are():
    agent = AgentFactory()
    bad = ReleaseFactory(agent=agent)
    go_live(release=bad)
    conversation = begin_conversation(agent_id=agent.pk)
    roll_back(to=agent.live_release, withdraw_current=False)
    assert released_for(conversation) == bad.pk


def test_ending_a_canary_brings_its_contacts_back():
    agent = AgentFactory()
    canary = ReleaseFactory(agent=agent)
    start_canary(release=canary, percent=100)
    conversation = begin_conversation(agent_id=agent.pk, contact="ada")
    assert released_for(conversation) == canary.pk
    end_canary(agent=agent)
    assert served(agent, "ada") == agent.live_release_id
    assert released_for(conversation) == agent.live_release_id


def test_a_withdrawn_release_may_serve_again():
    agent = AgentFactory()
    canary = ReleaseFactory(agent=agent)
    start_canary(release=canary, percent=100)
    end_canary(agent=agent)
    go_live(release=canary)
    assert released_for(begin_conversation(agent_id=agent.pk)) == canary.pk


def test_going_live_ends_the_canary():
    agent = AgentFactory()
    canary = ReleaseFactory(agent=agent)
    start_canary(release=canary, percent=10)
    go_live(release=canary)
    agent.refresh_from_db()
    assert (agent.live_release_id, agent.canary_release_id, agent.canary_percent) == (canary.pk, None, 0)


@pytest.mark.parametrize(("percent", "flag"), [(-1, ""), (101, ""), (0, "")])
def test_a_canary_of_nobody_or_of_more_than_all_is_refused(percent, flag):
    agent = AgentFactory()
    with pytest.raises(Invalid, match=r"percentage") as refused:
        start_canary(release=ReleaseFactory(agent=agent), percent=percent, flag=flag)
    assert refused.value.code == "canary_invalid"


def test_the_live_release_is_no_canary_and_there_is_none_without_it():
    agent, unreleased = AgentFactory(), AgentFactory(live=False)
    with pytest.raises(Conflict) as refused:
        start_canary(release=agent.live_release, percent=5)
    assert refused.value.code == "already_live"
    with pytest.raises(Conflict) as refused:
        start_canary(release=ReleaseFactory(agent=unreleased), percent=5)
    assert refused.value.code == "agent_not_live"


def test_a_preview_can_be_talked_with_before_it_serves_anybody():
    agent = AgentFactory()
    preview = ReleaseFactory(agent=agent)
    conversation = begin_conversation(agent_id=agent.pk, channel="playground", release_id=preview.pk)
    assert released_for(conversation) == preview.pk


def test_anothers_release_cannot_be_chosen():
    with pytest.raises(Invalid) as refused:
        begin_conversation(agent_id=AgentFactory().pk, release_id=AgentFactory().live_release_id)
    assert refused.value.code == "unknown_release"


def test_a_paused_agent_takes_no_messages_but_in_the_playground():
    agent = AgentFactory()
    running = begin_conversation(agent_id=agent.pk)
    trying = begin_conversation(agent_id=agent.pk, channel="playground", release_id=agent.live_release_id)
    configure_agent(agent=agent, status="paused")
    with pytest.raises(Conflict) as refused:
        begin_conversation(agent_id=agent.pk)
    assert refused.value.code == "agent_paused"
    with pytest.raises(Conflict) as refused:
        accept_message(conversation_id=running.pk, content="Hello?")
    assert refused.value.code == "agent_not_live"
    assert released_for(trying) == agent.live_release_id


def test_half_of_the_conversations_without_a_contact_go_to_the_canary():
    agent = AgentFactory()
    canary = ReleaseFactory(agent=agent)
    start_canary(release=canary, percent=50)
    began = Counter(begin_conversation(agent_id=agent.pk).release_id for _ in range(200))
    assert set(began) == {canary.pk, agent.live_release_id}
    assert 60 < began[canary.pk] < 140


def test_what_each_release_served_is_counted():
    agent = AgentFactory()
    canary = ReleaseFactory(agent=agent)
    start_canary(release=canary, percent=100)
    conversation = begin_conversation(agent_id=agent.pk)
    for _ in range(2):
        released_for(conversation)
    Turn.objects.filter(pk=Turn.objects.latest("id").pk).update(status=Turn.Status.FAILED)
    found = traffic_of([canary.pk, agent.live_release_id])
    assert (found[canary.pk].conversations, found[canary.pk].turns, found[canary.pk].failed) == (1, 2, 1)
    assert found[agent.live_release_id].turns == 0
    assert queries_of(lambda: traffic_of([canary.pk, agent.live_release_id])) == 1
