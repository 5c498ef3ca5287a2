"""Releases: what they pin, what they refuse to be made of, and how the engine sees them."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from contextvars import copy_context

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from agents import releases
from agents.domain.agents import compose_agent
from agents.domain.components import (
    create_component,
    delete_component,
    describe_component,
    publish,
    save_draft,
    validate_draft,
)
from agents.domain.composition import Parts
from agents.domain.endpoints import delete_endpoint, update_endpoint
from agents.domain.releases import make_release
from agents.models import Agent, Prompt, Release, Tool
from agents.releases import resolve, resolve_async
from conversations.domain.conversations import begin_conversation
from switchboard.kernel.database import in_database
from switchboard.kernel.problems import Conflict, Invalid, Problem
from tenants.context import use_tenant
from tenants.vault.domain.vault import create_secret, delete_secret
from tests.factories import (
    AgentFactory,
    CollectionFactory,
    EndpointFactory,
    PersonalityFactory,
    PromptFactory,
    ReleaseFactory,
    RuntimeConfigFactory,
    ToolFactory,
)
from tests.query_count import queries_of

TODAY = dt.date(2026, 11, 21)


def version_of(component, number=1):
    return component.versions.get(number=number).pk


def supervisor(**fields):
    return AgentFactory(live=False, content={"kind": "supervisor"}, **fields)


@pytest.mark.usefixtures("in_harbour")
class TestMaking:
    def test_a_release_pins_its_parts_and_stays_as_it_was(self):
        prompt, tool, manner = PromptFactory(), ToolFactory(), PersonalityFactory()
        runtime, collection = RuntimeConfigFactory(), CollectionFactory()
        agent = AgentFactory(live=False, name="Marina")
        parts = Parts(
            prompt=version_of(prompt),
            personality=version_of(manner),
            runtime_config=version_of(runtime),
            tools=(version_of(tool),),
            collections=(collection.pk,),
        )
        release = make_release(agent=agent, parts=parts, message="The first")
        save_draft(component=prompt, content={"template": "Something else."})
        publish(component=prompt)
        resolved = resolve(release.pk)
        assert resolved.agent_name == "Marina"
        assert resolved.template == "Answer the guests of the harbour hotel."
        assert [bound.slug for bound in resolved.tools] == [tool.slug]
        assert resolved.collection_ids == (collection.pk,)
        assert resolved.runtime.welcome_message == "Welcome to the harbour."
        told = resolved.instructions(tenant_name="Harbour Hotel", today=TODAY)
        assert told == "You are calm and brief.\n\nAnswer the guests of the harbour hotel."

    def test_variables_are_filled_in_once_and_what_is_known_in_each_turn(self):
        content = {
            "template": "{{ agent_name }} of {{ tenant_name }}, {{ place }}, {{ today }}.",
            "variables": [{"name": "place"}],
        }
        agent = AgentFactory(live=False, name="Marina")
        parts = Parts(prompt=version_of(PromptFactory(content=content)), variables={"place": "the quay"})
        resolved = resolve(make_release(agent=agent, parts=parts).pk)
        told = resolved.instructions(tenant_name="Harbour Hotel", today=TODAY)
        assert told == "Marina of Harbour Hotel, the quay, 2026-11-21."

    @pytest.mark.parametrize("variables", [{}, {"place": "here", "time": "now"}])
    def test_a_release_needs_a_value_for_each_variable_and_for_no_other(self, variables):
        prompt = PromptFactory(content={"template": "{{ place }}", "variables": [{"name": "place"}]})
        with pytest.raises(Invalid) as refused:
            make_release(agent=AgentFactory(live=False), parts=Parts(prompt=version_of(prompt), variables=variables))
        assert refused.value.errors[0]["field"] == "variables"

    @pytest.mark.parametrize("part", ["prompt", "profile", "personality", "runtime_config"])
    def test_a_missing_part_is_refused(self, part):
        parts = {"prompt": version_of(PromptFactory()), part: uuid.uuid4()}
        with pytest.raises(Invalid) as refused:
            make_release(agent=AgentFactory(live=False), parts=Parts(**parts))
        assert (refused.value.code, refused.value.errors[0]["field"]) == ("release_invalid", part)

    @pytest.mark.parametrize("part", ["tools", "sub_releases", "collections"])
    def test_a_missing_part_of_many_is_refused(self, part):
        parts = {"prompt": version_of(PromptFactory()), part: (uuid.uuid4(),)}
        with pytest.raises(Invalid) as refused:
            make_release(agent=supervisor(), parts=Parts(**parts))
        assert refused.value.code == "release_invalid"

    def test_an_unpublished_or_deleted_part_is_refused(self):
        unpublished = create_component(Prompt, name="Draft", slug="draft", content={"template": "x"})
        deleted = PromptFactory()
        delete_component(component=deleted)
        for pk in (unpublished.pk, version_of(deleted)):
            with pytest.raises(Invalid):
                make_release(agent=AgentFactory(live=False), parts=Parts(prompt=pk))

    def test_an_agent_is_published_before_it_is_released(self):
        agent = AgentFactory(live=False, published=False)
        with pytest.raises(Invalid) as refused:
            make_release(agent=agent, parts=Parts(prompt=version_of(PromptFactory())))
        assert refused.value.errors[0]["field"] == "profile"

    def test_another_agents_profile_is_refused(self):
        other = AgentFactory(live=False)
        with pytest.raises(Invalid):
            make_release(
                agent=AgentFactory(live=False),
                parts=Parts(prompt=version_of(PromptFactory()), profile=version_of(other)),
            )

    def test_the_default_personality_is_taken_where_nothing_is_said(self):
        default = PersonalityFactory(is_default=True)
        agent, prompt = AgentFactory(live=False), version_of(PromptFactory())
        assert make_release(agent=agent, parts=Parts(prompt=prompt)).personality_id == version_of(default)
        assert make_release(agent=agent, parts=Parts(prompt=prompt, personality=None)).personality_id is None

    def test_a_supervisor_pins_the_releases_of_its_sub_agents(self):
        rooms = AgentFactory(name="Rooms", content={"description": "Books rooms.", "examples": ["A room, please"]})
        boss, prompt = supervisor(), version_of(PromptFactory())
        release = make_release(agent=boss, parts=Parts(prompt=prompt, sub_releases=(rooms.live_release_id,)))
        [sub] = resolve(release.pk).sub_agents
        assert (sub.name, sub.profile.description, sub.release_id) == ("Rooms", "Books rooms.", rooms.live_release_id)

    def test_only_a_supervisor_has_sub_agents_and_none_is_a_supervisor_itself(self):
        rooms, boss, prompt = AgentFactory(), supervisor(), version_of(PromptFactory())
        other_boss = ReleaseFactory(agent=supervisor())
        for agent, sub in ((AgentFactory(live=False), rooms.live_release_id), (boss, other_boss.pk)):
            with pytest.raises(Invalid) as refused:
                make_release(agent=agent, parts=Parts(prompt=prompt, sub_releases=(sub,)))
            assert refused.value.errors[0]["field"] == "sub_releases"

    def test_two_versions_of_one_tool_are_refused(self):
        tool = ToolFactory()
        save_draft(component=tool, content={**tool.draft, "description": "Another."})
        publish(component=tool)
        tools = (version_of(tool, 1), version_of(tool, 2))
        with pytest.raises(Invalid):
            make_release(agent=AgentFactory(live=False), parts=Parts(prompt=version_of(PromptFactory()), tools=tools))


def test_anothers_version_cannot_be_released(harbour, agency):
    with use_tenant(agency):
        foreign = version_of(PromptFactory())
    with use_tenant(harbour), pytest.raises(Invalid) as refused:
        make_release(agent=AgentFactory(live=False), parts=Parts(prompt=foreign))
    assert refused.value.code == "release_invalid"


def test_numbers_follow_each_other_when_two_people_release_at_once(live_tenants, in_harbour):
    agent, prompt = AgentFactory(live=False), version_of(PromptFactory())
    start = threading.Barrier(4)

    def one() -> None:
        start.wait()
        try:
            make_release(agent=agent, parts=Parts(prompt=prompt))
        finally:
            connection.close()

    threads = [threading.Thread(target=copy_context().run, args=(one,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(Release.objects.values_list("number", flat=True)) == [1, 2, 3, 4]


def test_an_agent_that_is_being_changed_goes_on_taking_conversations(live_tenants, in_harbour):
    agent = AgentFactory()
    changed, begun = threading.Event(), threading.Event()

    def change() -> None:
        try:
            with transaction.atomic():
                describe_component(component=agent, name="Another", tags=[])
                changed.set()
                begun.wait(timeout=5)
        finally:
            changed.set()
            connection.close()

    thread = threading.Thread(target=copy_context().run, args=(change,))
    thread.start()
    changed.wait()
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '2s'")
            assert begin_conversation(agent_id=agent.pk).release_id == agent.live_release_id
    finally:
        begun.set()
        thread.join()


# --- what the database itself refuses ---------------------------------------------------------------------------------
@pytest.mark.usefixtures("in_harbour")
class TestByTheDatabase:
    def test_a_release_never_changes(self):
        release = AgentFactory().live_release
        for change in (lambda: Release.objects.update(message="rewritten"), release.delete):
            with pytest.raises(DatabaseError), transaction.atomic():
                change()

    @pytest.mark.parametrize("column", ["tool_version_ids", "sub_release_ids", "collection_ids"])
    def test_a_release_of_parts_that_are_not_there_cannot_be_written_past_the_domain(self, column):
        release = AgentFactory().live_release
        release.pk, release.number, release._state.adding = uuid.uuid4(), 9, True
        setattr(release, column, [uuid.uuid4()])
        with pytest.raises(IntegrityError), transaction.atomic():
            release.save(force_insert=True)

    def test_a_snapshot_of_another_agent_cannot_be_written(self):
        release = AgentFactory().live_release
        release.pk, release.agent, release._state.adding = uuid.uuid4(), AgentFactory(), True
        with pytest.raises(IntegrityError), transaction.atomic():
            release.save(force_insert=True)


# --- resolving --------------------------------------------------------------------------------------------------------
@pytest.mark.usefixtures("in_harbour")
class TestResolving:
    def test_the_first_time_it_is_one_query_then_none(self):
        release = AgentFactory().live_release
        assert [queries_of(lambda: resolve(release.pk)) for _ in range(2)] == [1, 0]

    def test_another_process_finds_it_in_redis(self):
        release = AgentFactory().live_release
        here = resolve(release.pk)
        releases.releases.forget()
        assert queries_of(lambda: resolve(release.pk)) == 0
        assert resolve(release.pk) == here

    def test_there_is_none_where_there_is_none(self):
        with pytest.raises(Release.DoesNotExist):
            resolve(uuid.uuid4())


async def test_a_release_is_its_tenants_alone_though_it_is_remembered(live_tenants, harbour, agency):
    def make() -> uuid.UUID:
        release_id: uuid.UUID = AgentFactory.create().live_release_id
        return release_id

    with use_tenant(harbour):
        release_id = await in_database(make)
        await resolve_async(release_id)
    with use_tenant(agency), pytest.raises(Release.DoesNotExist):
        await resolve_async(release_id)


# --- endpoints, and the quick start -----------------------------------------------------------------------------------
@pytest.mark.usefixtures("in_harbour")
class TestEndpoints:
    def test_an_endpoint_that_a_version_names_keeps_its_name_and_stays(self):
        endpoint = EndpointFactory(name="OpenAI")
        RuntimeConfigFactory(content={"fallbacks": [{"endpoint": "OpenAI", "model": "gpt"}]})
        for change in (
            lambda: delete_endpoint(endpoint=endpoint),
            lambda: update_endpoint(endpoint=endpoint, name="Other", base_url=endpoint.base_url),
        ):
            with pytest.raises(Conflict) as refused:
                change()
            assert refused.value.code == "endpoint_in_use"
        update_endpoint(endpoint=endpoint, name="OpenAI", base_url="https://models.example.com/v2")

    def test_one_that_only_a_draft_names_may_go(self):
        endpoint = EndpointFactory(name="OpenAI")
        RuntimeConfigFactory(content={"llm": {"endpoint": "OpenAI", "model": "gpt"}}, published=False)
        delete_endpoint(endpoint=endpoint)


def test_an_agent_can_be_composed_in_one_go(in_harbour):
    release = compose_agent(name="Marina", slug="marina", prompt="Be brief.", suggested_questions=["When?"])
    agent = Agent.objects.get(slug="marina")
    assert agent.live_release == release
    resolved = resolve(release.pk)
    assert resolved.is_local
    assert resolved.profile.suggested_questions == ("When?",)


def test_composing_leaves_nothing_half_made(in_harbour):
    with pytest.raises(Problem):
        compose_agent(name="Marina", slug="marina", prompt="Hello {{ nobody }}")
    assert not Agent.objects.exists()
    assert not Prompt.objects.exists()


# --- secrets that tools sign in with ----------------------------------------------------------------------------------
@pytest.mark.usefixtures("in_harbour")
class TestCredentials:
    CONTENT = {
        "kind": "http",
        "description": "Books.",
        "handler": "https://example.com/book",
        "credentials": "booking.key",
    }

    def test_a_tool_is_published_once_its_secret_is_there(self):
        tool = create_component(Tool, name="Book", slug="book", content=self.CONTENT)
        assert [fault.field for fault in validate_draft(component=tool)] == ["credentials"]
        create_secret(name="booking.key", value="hunter2")
        assert publish(component=tool).is_new

    def test_a_secret_that_a_version_names_stays(self):
        secret = create_secret(name="booking.key", value="hunter2")
        ToolFactory(name="Book", content=self.CONTENT)
        with pytest.raises(Conflict, match="Book"):
            delete_secret(secret=secret)
