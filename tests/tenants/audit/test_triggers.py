"""Whatever changes an audited row, and however, leaves an event; what changes nothing leaves nothing."""

import datetime as dt

import pytest
from django.db import IntegrityError, connection, transaction

from agents.models import Agent, ModelEndpoint
from knowledge.models import Collection, Document
from tenants.actor import Actor, doing, use_actor
from tenants.audit.models import AuditEvent, ChainHead
from tenants.context import use_public, use_tenant
from tenants.domain import api_keys, provision, removal, status
from tenants.models import ApiKey, Domain, Tenant
from tests.factories import AgentFactory, CollectionFactory, DocumentFactory, EndpointFactory, UserFactory


def last():
    return AuditEvent.objects.order_by("-position")[0]


def events(**fields):
    return list(AuditEvent.objects.filter(**fields).order_by("position"))


def sql(statement, *values):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_what_is_made_changed_and_deleted_is_written_down(in_harbour):
    row = CollectionFactory(name="Menus", slug="menus")
    row.name = "Menus and wines"
    row.save()
    row.delete()
    made, changed, deleted = events(entity="collection")
    assert [event.action for event in (made, changed, deleted)] == [
        "collection.created",
        "collection.changed",
        "collection.deleted",
    ]
    assert {event.entity_id for event in (made, changed, deleted)} == {str(changed.entity_id)}
    assert (made.old, made.new["slug"], made.entity_label) == (None, "menus", "Menus")
    assert (changed.old, changed.new) == ({"name": "Menus"}, {"name": "Menus and wines"})
    assert (deleted.old["name"], deleted.new, deleted.entity_label) == ("Menus and wines", None, "Menus and wines")


def test_the_chain_has_no_gap_and_each_event_holds_on_to_the_one_before(in_harbour):
    CollectionFactory.create_batch(3)
    found = events()
    assert [event.position for event in found] == list(range(1, len(found) + 1))
    assert [event.previous_hash for event in found] == ["", *(event.hash for event in found[:-1])]
    assert len({event.hash for event in found}) == len(found)
    head = ChainHead.objects.get()
    assert (head.position, head.hash) == (found[-1].position, found[-1].hash)


def test_a_bulk_update_and_raw_sql_leave_an_event_for_each_row(in_harbour):
    CollectionFactory.create_batch(3)
    Collection.objects.update(description="Read by everybody")
    sql("UPDATE knowledge_collection SET description = 'Read by few'")
    assert len(events(action="collection.changed", new={"description": "Read by everybody"})) == 3
    assert len(events(action="collection.changed", new={"description": "Read by few"})) == 3


def test_a_table_of_the_trails_name_catches_no_event(in_harbour):
    CollectionFactory()
    before = AuditEvent.objects.count()
    schema = in_harbour.schema_name
    sql(f"CREATE TEMP TABLE audit_auditevent (LIKE {schema}.audit_auditevent) ON COMMIT DROP")
    sql(f"CREATE TEMP TABLE audit_chainhead AS TABLE {schema}.audit_chainhead")
    Collection.objects.update(description="Unseen")
    sql("DROP TABLE pg_temp.audit_auditevent, pg_temp.audit_chainhead")
    assert AuditEvent.objects.count() == before + 1
    assert last().new == {"description": "Unseen"}


@pytest.mark.parametrize("place", ["(0,1)", "(0,60000)", "(9999,1)"])
def test_wherever_a_session_says_the_chain_ends_it_goes_on_from_its_end(in_harbour, place):
    CollectionFactory.create_batch(3)
    sql("SELECT set_config('switchboard.audit_head', %s, false)", f"{in_harbour.schema_name} {place}")
    Collection.objects.update(description="Read by everybody")
    found = events()
    assert [event.position for event in found] == list(range(1, len(found) + 1))
    assert [event.previous_hash for event in found] == ["", *(event.hash for event in found[:-1])]
    assert (ChainHead.objects.get().position, ChainHead.objects.get().hash) == (found[-1].position, found[-1].hash)


def test_the_chain_goes_on_from_where_a_savepoint_left_it(in_harbour):
    with transaction.atomic():
        CollectionFactory()
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            CollectionFactory.create_batch(2)
            raise ZeroDivisionError
        CollectionFactory()
    found = events()
    assert [event.position for event in found] == list(range(1, len(found) + 1))
    assert [event.previous_hash for event in found] == ["", *(event.hash for event in found[:-1])]


def test_a_table_that_is_emptied_at_once_is_noticed(in_harbour):
    CollectionFactory()
    sql("TRUNCATE knowledge_collection CASCADE")
    assert {event.action for event in events(action__endswith=".emptied")} == {
        "collection.emptied",
        "document.emptied",
    }


def test_what_changes_nothing_leaves_nothing(in_harbour):
    row = CollectionFactory()
    count = AuditEvent.objects.count()
    row.save()
    Collection.objects.update(name=row.name)
    Collection.objects.filter(slug="nowhere").update(name="Nothing")
    assert AuditEvent.objects.count() == count


def test_columns_that_are_nobodys_deed_leave_nothing(in_harbour):
    document = DocumentFactory()
    count = AuditEvent.objects.count()
    Document.objects.filter(pk=document.pk).update(status="failed", progress=3, error_code="no_text")
    assert AuditEvent.objects.count() == count


def test_a_change_that_is_rolled_back_leaves_nothing(in_harbour):
    CollectionFactory()
    before = ChainHead.objects.get().position
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        CollectionFactory()
        raise ZeroDivisionError
    assert ChainHead.objects.get().position == before == last().position
    CollectionFactory()
    assert last().position == before + 1


def test_a_secret_is_changed_and_never_shown(in_harbour):
    endpoint = EndpointFactory(api_key="sk-first")
    ModelEndpoint.objects.filter(pk=endpoint.pk).update(api_key="sk-second")
    with connection.cursor() as cursor:
        cursor.execute("SELECT api_key FROM agents_modelendpoint")
        (ciphertext,) = cursor.fetchone()
        cursor.execute("SELECT string_agg(e::text, ' ') FROM audit_auditevent e")
        (trail,) = cursor.fetchone()
    made, changed = events(entity="model_endpoint")
    assert made.new["api_key"] == "(set)"
    assert (changed.old, changed.new) == ({"api_key": "(set)"}, {"api_key": "(changed)"})
    assert ciphertext not in trail


def test_of_a_persons_data_the_trail_has_their_user_name_alone(in_harbour):
    user = UserFactory(username="ines", email="ines@example.com", first_name="Ines", last_name="Quiroga")
    user.email = "other@example.com"
    user.save()
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(e::text, ' ') FROM audit_auditevent e")
        (trail,) = cursor.fetchone()
    assert "ines" in trail
    assert not any(text in trail for text in ("example.com", "Ines", "Quiroga", user.password))
    assert last().new == {"email": "(changed)"}


def test_an_event_is_neither_changed_nor_removed(in_harbour):
    CollectionFactory()
    for statement in (
        "UPDATE audit_auditevent SET message = 'nothing happened'",
        "DELETE FROM audit_auditevent",
        "TRUNCATE audit_auditevent",
        "DELETE FROM audit_chainhead",
        "TRUNCATE audit_chainhead",
    ):
        with pytest.raises(IntegrityError, match="immutable"), transaction.atomic():
            sql(statement)
    assert AuditEvent.objects.exists()


def test_a_tenants_trail_shows_nothing_of_anothers(harbour, agency):
    with use_tenant(harbour):
        CollectionFactory(name="Harbour's menus")
    with use_tenant(agency):
        assert not events(entity_label="Harbour's menus")
    with use_public():
        assert not events(entity_label="Harbour's menus")


def test_a_key_is_written_into_its_tenants_trail_alone(harbour, agency):
    with use_public():
        row, _ = api_keys.create_api_key(tenant=harbour, name="website")
        ApiKey.objects.filter(pk=row.pk).update(last_used_at=dt.datetime.now(dt.UTC))
        api_keys.revoke_api_key(key=row)
        assert not events(entity="api_key")
    with use_tenant(agency):
        assert not events(entity="api_key")
    with use_tenant(harbour):
        made, revoked = events(entity="api_key")
    assert (made.entity_label, made.new["digest"], made.new["prefix"]) == ("website", "(set)", row.prefix)
    assert list(revoked.new) == ["revoked_at"]


def test_what_operators_change_about_a_tenant_is_in_its_trail_and_in_the_platforms(harbour, agency):
    olga = Actor(kind="operator", id="7", name="olga", address="192.0.2.7")
    with use_public(), use_actor(olga):
        status.suspend_tenant(tenant=harbour)
        status.add_domain(tenant=harbour, domain="hotel.example.com")
        ours = events(actor_name="olga")
    with use_tenant(harbour):
        theirs = events(actor_name="olga")
    with use_tenant(agency):
        assert not events(actor_name="olga")
    for found in (ours, theirs):
        assert [(event.action, event.actor_kind) for event in found] == [
            ("tenant.changed", "operator"),
            ("domain.created", "operator"),
        ]
    assert {(event.actor_id, event.address) for event in ours} == {("7", "192.0.2.7")}
    assert {(event.actor_id, event.address) for event in theirs} == {("", "")}, "an operator is known by name alone"
    assert theirs[0].new == {"status": "suspended"}


def test_a_tenant_is_made_and_deleted_in_the_platforms_trail(live_tenants):
    with use_public():
        tenant = provision.create_tenant(name="Mill", slug="mill", domains=["mill.localhost"])
        identity = str(tenant.pk)
        api_keys.create_api_key(tenant=tenant, name="website")
    with use_tenant(tenant):
        assert [event.action for event in events()] == ["tenant.changed", "api_key.created"]
        AgentFactory()
        assert last().position == ChainHead.objects.get().position > 2
    with use_public():
        removal.remove_tenant(tenant=tenant)
        found = [event.action for event in events(entity_id=identity)]
        assert found == ["tenant.created", "tenant.changed", "tenant.deleted"]
        assert [event.action for event in events(entity="domain", entity_label="mill.localhost")] == [
            "domain.created",
            "domain.deleted",
        ]
        assert not Tenant.objects.filter(slug="mill").exists()
        assert not Domain.objects.filter(domain="mill.localhost").exists()


def test_a_deed_names_what_its_changes_amount_to(in_harbour):
    agent = AgentFactory()
    with use_actor(Actor(kind="staff", id="8", name="ines")), doing("release.went_live", "Better\0 answers"):
        Agent.objects.filter(pk=agent.pk).update(status="paused")
    event = last()
    assert (event.action, event.message, event.entity) == ("release.went_live", "Better answers", "agent")
    assert (event.actor_kind, event.actor_id, event.actor_name) == ("staff", "8", "ines")


def test_a_name_of_any_length_stops_no_change(in_harbour):
    with use_actor(Actor(kind="staff", name="ñ\ud800" * 9000)):
        CollectionFactory()
    assert last().actor_name == "ñ?" * 100
