"""What is asked of the trail is found, and nothing else."""

import datetime as dt

import pytest

from tenants.actor import Actor, doing, use_actor
from tenants.audit.models import AuditEvent
from tenants.audit.queries import actions, find_events, history_of
from tenants.context import use_tenant
from tests.factories import CollectionFactory, EndpointFactory

INES = Actor(kind="staff", id="8", name="ines.quiroga")


@pytest.fixture(autouse=True)
def rows(in_harbour):
    with use_actor(INES):
        menus = CollectionFactory(name="Breakfast menus", slug="menus")
        with doing("release.went_live", "Better answers, at last"):
            EndpointFactory(name="Night porter")
    with use_actor(Actor(kind="api_key", id="7", name="website")):
        CollectionFactory(name="Wines (red)", slug="wines")
        menus.delete()


def found(**filters):
    return [(event.action, event.entity_label) for event in find_events(**filters)]


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("breakfast", {"Breakfast menus"}),
        ("BREAK", {"Breakfast menus"}),
        ("menus breakfast", {"Breakfast menus"}),
        ("wines red", {"Wines (red)"}),
        ("went_live", {"Night porter"}),
        ("release.went_live", {"Night porter"}),
        ("at last", {"Night porter"}),
        ("ines.quiroga night", {"Night porter"}),
        ("quiroga breakfast", {"Breakfast menus"}),
        ("website", {"Wines (red)", "Breakfast menus"}),
        ("nobody", set()),
        ("'); DROP TABLE x; --", set()),
        ("!!! & | :*", set()),
        ("a" * 500, set()),
    ],
)
def test_text_is_found_by_its_words_and_their_beginnings(text, labels):
    assert {label for _, label in found(text=text)} == labels


def test_each_filter_narrows(in_harbour):
    event = AuditEvent.objects.get(action="release.went_live")
    assert {action for action, _ in found(entity="collection")} == {"collection.created", "collection.deleted"}
    assert found(entity_id=event.entity_id) == [("release.went_live", "Night porter")]
    assert found(action="collection.deleted") == [("collection.deleted", "Breakfast menus")]
    assert found(actor="7") == found(actor="website") != []
    assert found(actor="7", action="collection.created") == [("collection.created", "Wines (red)")]
    assert found(actor="web") == []
    now = event.at
    assert found(since=now)[-1] == ("release.went_live", "Night porter")
    assert ("release.went_live", "Night porter") not in found(until=now)
    assert found(since=now + dt.timedelta(days=1)) == []


def test_the_newest_is_first():
    positions = [event.position for event in find_events()]
    assert positions == sorted(positions, reverse=True)


def test_the_history_of_one_thing():
    deleted = AuditEvent.objects.get(action="collection.deleted")
    assert [event.action for event in history_of(deleted.entity_id)] == ["collection.deleted", "collection.created"]


def test_the_actions_there_are(agency):
    assert {"release.went_live", "collection.created", "collection.deleted"} <= set(actions())
    assert len(actions()) == len(set(actions()))
    with use_tenant(agency):
        assert "release.went_live" not in actions()
