"""Registries: drafts, versions, and what two people at once come to. The same rules for all five kinds."""

from __future__ import annotations

import threading
from contextvars import copy_context
from typing import Any

import pytest
from django.db import DatabaseError, close_old_connections, connection, transaction

from agents.domain.components import (
    DraftChanged,
    create_component,
    delete_component,
    describe_component,
    publish,
    restore_component,
    return_to_version,
    save_draft,
    validate_draft,
)
from agents.domain.releases import go_live
from agents.models import Agent, Personality, Prompt, PromptVersion, RuntimeConfig, Tool
from switchboard.kernel.problems import Conflict, Invalid, Problem
from tests.factories import (
    AgentFactory,
    EndpointFactory,
    PromptFactory,
    ReleaseFactory,
    UserFactory,
)

pytestmark = pytest.mark.usefixtures("in_harbour")

KINDS = {
    Prompt: ({"template": "Be brief."}, {"template": "Be brief and kind."}),
    Tool: ({"kind": "knowledge", "description": "Looks up."}, {"kind": "knowledge", "description": "Looks it up."}),
    Personality: ({"instructions": "Calm."}, {"instructions": "Calm and dry."}),
    RuntimeConfig: ({}, {"welcome_message": "Welcome."}),
    Agent: ({"description": "Rooms."}, {"description": "Rooms and tables."}),
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.word)
def test_a_draft_becomes_a_version_and_the_next_draft_the_next(kind):
    first, second = KINDS[kind]
    who = UserFactory()
    row = create_component(kind, name="One", slug="one", content=first, by=who)
    assert row.latest_version == 0
    one = publish(component=row, message="The first", by=who)
    assert (one.version.number, one.is_new, one.version.message, one.version.created_by) == (1, True, "The first", who)
    row = save_draft(component=row, content=second)
    assert row.has_unpublished_changes
    two = publish(component=row).version
    assert two.number == 2
    assert two.checksum != one.version.checksum
    row.refresh_from_db()
    assert row.latest_version == 2
    assert not row.has_unpublished_changes


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.word)
@pytest.mark.parametrize("change", ["update", "delete", "bulk update", "sql"])
def test_a_version_cannot_be_changed_by_any_road(kind, change):
    version = publish(component=create_component(kind, name="One", slug="one", content=KINDS[kind][0])).version
    rows = kind.version_model._default_manager.filter(pk=version.pk)
    with pytest.raises(DatabaseError), transaction.atomic():
        match change:
            case "update":
                version.message = "rewritten"
                version.save()
            case "delete":
                version.delete()
            case "bulk update":
                rows.update(number=7)
            case "sql":
                with connection.cursor() as cursor:
                    cursor.execute(f"UPDATE {version._meta.db_table} SET content = '{{}}'")


def test_a_draft_that_is_not_whole_is_kept_but_not_published():
    row = create_component(Prompt, name="One", slug="one", content={"template": "Hello {{ who }}"})
    assert [fault.field for fault in validate_draft(component=row)] == ["template"]
    with pytest.raises(Problem) as refused:
        publish(component=row)
    assert (refused.value.code, refused.value.status) == ("draft_invalid", 422)
    assert refused.value.errors[0]["field"] == "template"
    assert not PromptVersion.objects.exists()


def test_an_endpoint_that_is_not_there_keeps_a_runtime_config_from_being_published():
    content = {"llm": {"endpoint": "OpenAI", "model": "gpt"}}
    row = create_component(RuntimeConfig, name="One", slug="one", content=content)
    assert [fault.field for fault in validate_draft(component=row)] == ["llm.endpoint"]
    EndpointFactory(name="OpenAI")
    assert publish(component=row).is_new


# --- two people -------------------------------------------------------------------------------------------------------
def test_the_second_of_two_editors_is_told_and_nothing_is_lost():
    row = PromptFactory()
    ada, bob = UserFactory(username="ada"), UserFactory(username="bob")
    seen = row.draft_revision
    save_draft(component=row, content={"template": "Ada's."}, seen_revision=seen, by=ada)
    with pytest.raises(DraftChanged) as refused:
        save_draft(component=row, content={"template": "Bob's."}, seen_revision=seen, by=bob)
    assert refused.value.status == 412
    assert "ada" in refused.value.detail
    row.refresh_from_db()
    assert row.draft == {"template": "Ada's."}


def test_saving_what_is_there_already_is_no_change():
    row = PromptFactory()
    assert save_draft(component=row, content=row.draft).draft_revision == row.draft_revision


def test_nobody_publishes_a_draft_they_have_not_seen():
    row = PromptFactory()
    save_draft(component=row, content={"template": "Changed meanwhile."})
    with pytest.raises(DraftChanged):
        publish(component=row, seen_revision=row.draft_revision)


def test_publishing_twice_gives_one_version():
    row = create_component(Prompt, name="One", slug="one", content={"template": "Be brief."})
    first, second = publish(component=row), publish(component=row)
    assert (first.is_new, second.is_new) == (True, False)
    assert first.version == second.version


def test_publishing_what_was_edited_back_gives_no_new_version():
    row = PromptFactory(content={"template": "Be brief."})
    save_draft(component=row, content={"template": "Be long."})
    save_draft(component=row, content={"template": "Be brief."})
    assert not publish(component=row).is_new
    row.refresh_from_db()
    assert not row.has_unpublished_changes


def test_publishing_at_once_gives_one_version(live_tenants):
    row = create_component(Prompt, name="One", slug="one", content={"template": "Be brief."})
    outcomes: list[Any] = []
    start = threading.Barrier(4)

    def one() -> None:
        start.wait()
        try:
            outcomes.append(publish(component=row))
        finally:
            close_old_connections()
            connection.close()

    threads = [threading.Thread(target=copy_context().run, args=(one,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcome.is_new for outcome in outcomes) == [False, False, False, True]
    assert len({outcome.version.pk for outcome in outcomes}) == 1
    assert PromptVersion.objects.filter(component=row).count() == 1


# --- the rest of a life -----------------------------------------------------------------------------------------------
def test_a_past_version_can_be_the_draft_again():
    row = PromptFactory(content={"template": "One."})
    save_draft(component=row, content={"template": "Two."})
    publish(component=row)
    return_to_version(component=row, version=row.versions.get(number=1))
    third = publish(component=row).version
    assert (third.number, third.content["template"]) == (3, "One.")


def test_a_slug_is_taken_once_even_by_what_is_deleted():
    row = PromptFactory(slug="house")
    delete_component(component=row)
    with pytest.raises(Conflict) as refused:
        create_component(Prompt, name="Two", slug="house", content={})
    assert refused.value.code == "component_exists"
    assert create_component(Tool, name="Two", slug="house", content={})


@pytest.mark.parametrize("slug", ["", "Über", "a b", "-a", "a" * 61, "a\n"])
def test_a_slug_that_could_not_stand_in_a_file_is_refused(slug):
    with pytest.raises(Invalid):
        create_component(Prompt, name="One", slug=slug, content={})


LONG = [("x" * 121, []), ("One", ["t" * 41]), ("One", [f"tag {n}" for n in range(21)])]


@pytest.mark.parametrize(("name", "tags"), [("", []), ("a\x00", []), *LONG])
def test_names_and_tags_have_bounds(name, tags):
    row = PromptFactory()
    with pytest.raises(Problem):
        describe_component(component=row, name=name, tags=tags)


def test_what_is_deleted_takes_no_changes_until_it_is_restored():
    row = PromptFactory()
    delete_component(component=row)
    for change in (lambda: save_draft(component=row, content={"template": "x"}), lambda: publish(component=row)):
        with pytest.raises(Conflict) as refused:
            change()
        assert refused.value.code == "deleted"
    restore_component(component=row)
    assert save_draft(component=row, content={"template": "x"}).draft == {"template": "x"}


@pytest.mark.parametrize("part", ["prompt", "runtime_config"])
def test_a_part_of_what_serves_cannot_be_deleted(part):
    agent = AgentFactory()
    component = getattr(agent.live_release, part).component
    with pytest.raises(Conflict) as refused:
        delete_component(component=component)
    assert refused.value.code == "component_in_use"
    go_live(release=ReleaseFactory(agent=agent))
    delete_component(component=component)
