"""Whatever is done to a trail past the triggers, by whoever can, is found, and said where."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tenants.audit import verification
from tenants.audit.models import AuditEvent, ChainHead
from tenants.audit.triggers import HASH
from tenants.audit.verification import Checkpoint, Verdict, verify_trail
from tenants.context import use_tenant
from tests.factories import CollectionFactory


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(verification, "_BATCH", 3)


@pytest.fixture
def trail(in_harbour):
    """Ten events behind what was there."""
    CollectionFactory.create_batch(10)
    return in_harbour.schema_name


@pytest.fixture
def end(trail):
    return ChainHead.objects.get().position


def tamper(*statements):
    """As a superuser can."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement, *values in statements:
            cursor.execute(statement, values)
        cursor.execute("SET LOCAL session_replication_role = origin")


def faults(trail, since=None):
    return {
        (fault.position, fault.what.split(":")[0].split(",")[0])
        for fault in verify_trail(trail, Verdict(), since=since)
    }


def test_nothing_is_wrong_with_what_nobody_touched(trail, end):
    verdict = Verdict()
    assert not list(verify_trail(trail, verdict))
    assert verdict.events == end
    assert verdict.end == Checkpoint(trail, end, ChainHead.objects.get().hash)


def test_a_changed_field_is_found_whichever_it_is(trail, end):
    fields = {field.name for field in AuditEvent._meta.concrete_fields} - {"position", "words", "hash"}
    for field in sorted(fields):
        event = AuditEvent.objects.get(position=end - 4)
        before = getattr(event, field)
        other = {"old": '{"name": "Another"}', "new": '{"name": "Another"}', "at": "2020-01-01"}.get(field, "another")
        tamper((f'UPDATE audit_auditevent SET "{field}" = %s WHERE "position" = %s', other, end - 4))
        assert (end - 4, "was changed") in faults(trail), field
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            AuditEvent.objects.filter(position=end - 4).update(**{field: before})
            cursor.execute("SET LOCAL session_replication_role = origin")
    assert not faults(trail)


def test_a_changed_field_with_its_hash_made_to_fit_is_found_by_the_next_event(trail, end):
    tamper(
        ("UPDATE audit_auditevent SET message = 'nothing to see' WHERE \"position\" = %s", end - 4),
        (f'UPDATE audit_auditevent SET hash = {HASH} WHERE "position" = %s', end - 4),
    )
    assert faults(trail) == {(end - 3, "doesn't follow the event before it")}


def test_a_row_taken_out_of_the_middle_is_found(trail, end):
    tamper(('DELETE FROM audit_auditevent WHERE "position" = %s', end - 4))
    assert faults(trail) == {(end - 4, "is missing")}


def test_many_rows_taken_out_are_found(trail, end):
    tamper(('DELETE FROM audit_auditevent WHERE "position" BETWEEN %s AND %s', end - 8, end - 3))
    (fault,) = verify_trail(trail, Verdict())
    assert str(fault) == f"{end - 8}: is missing, with all up to {end - 3}"


def test_a_row_taken_out_and_the_gap_closed_is_found(trail, end):
    tamper(
        ('DELETE FROM audit_auditevent WHERE "position" = %s', end - 4),
        ('UPDATE audit_auditevent SET "position" = "position" - 1 WHERE "position" > %s', end - 4),
    )
    found = faults(trail)
    assert (end - 4, "was changed") in found
    assert (end - 4, "doesn't follow the event before it") in found
    assert (end, "is missing at the end") in found


def test_a_cut_off_end_is_found(trail, end):
    tamper(('DELETE FROM audit_auditevent WHERE "position" > %s', end - 3))
    assert faults(trail) == {(end - 2, "is missing")}


def test_everything_taken_out_is_found(trail, end):
    tamper(("DELETE FROM audit_auditevent",))
    assert faults(trail) == {(1, "is missing")}


def test_a_cut_off_end_with_the_head_made_to_fit_is_found_by_a_checkpoint(trail, end):
    kept = Checkpoint(trail, end, ChainHead.objects.get().hash)
    shorter = AuditEvent.objects.get(position=end - 3)
    tamper(
        ('DELETE FROM audit_auditevent WHERE "position" > %s', end - 3),
        ('UPDATE audit_chainhead SET "position" = %s, hash = %s', end - 3, shorter.hash),
    )
    assert not faults(trail), "the chain alone can't tell"
    assert (end, "is missing") in faults(trail, kept)


def test_a_chain_written_anew_is_found_by_a_checkpoint(trail, end):
    kept = Checkpoint(trail, end, ChainHead.objects.get().hash)
    tamper(("UPDATE audit_auditevent SET actor_name = 'somebody else' WHERE \"position\" = 1",))
    previous = ""
    for position in range(1, end + 1):
        tamper(
            ('UPDATE audit_auditevent SET previous_hash = %s WHERE "position" = %s', previous, position),
            (f'UPDATE audit_auditevent SET hash = {HASH} WHERE "position" = %s', position),
        )
        previous = AuditEvent.objects.get(position=position).hash
    tamper(("UPDATE audit_chainhead SET hash = %s", previous))
    assert not faults(trail), "the chain alone can't tell"
    assert (end, "was changed since a checkpoint was taken of it") in faults(trail, kept)


@pytest.mark.parametrize("place", [-3, 0])
def test_a_row_put_in_before_the_beginning_is_found(trail, end, place):
    tamper((_COPY, place, end - 4))
    assert (place, "was put in") in faults(trail)


def test_a_row_put_in_behind_the_end_is_found(trail, end):
    tamper((_COPY, end + 1, end))
    assert (end + 1, "was put in behind the chain's end") in faults(trail)


_COPY = """
    INSERT INTO audit_auditevent ("position", at, actor_kind, actor_id, actor_name, request_id, address, action,
        message, entity, entity_id, entity_label, old, new, previous_hash, hash)
    SELECT %s, at, actor_kind, actor_id, actor_name, request_id, address, action, message, entity, entity_id,
        entity_label, old, new, previous_hash, hash FROM audit_auditevent WHERE "position" = %s
"""


def test_two_rows_that_changed_places_are_found(trail, end):
    swap = 'UPDATE audit_auditevent SET "position" = %s WHERE "position" = %s'
    tamper((swap, -1, end - 5), (swap, end - 5, end - 3), (swap, end - 3, -1))
    assert {(end - 5, "was changed"), (end - 3, "was changed")} <= faults(trail)


def test_a_head_that_was_changed_or_lost_is_found(trail, end):
    tamper(("UPDATE audit_chainhead SET hash = repeat('0', 64)",))
    assert faults(trail) == {(end, "is the last event")}
    tamper(("DELETE FROM audit_chainhead",))
    assert faults(trail) == {(end, "is the last event")}


def test_a_trigger_that_is_switched_off_is_found(trail):
    tamper(("ALTER TABLE knowledge_collection DISABLE TRIGGER audit_change",))
    assert faults(trail) == {(0, "nothing is written down of knowledge_collection")}
    tamper(("ALTER TABLE knowledge_collection ENABLE TRIGGER audit_change",))
    assert not faults(trail)


def run(*arguments):
    out = StringIO()
    try:
        call_command("verify_audit", *arguments, stdout=out)
    except CommandError as error:
        return 1, out.getvalue() + str(error)
    return 0, out.getvalue()


def test_the_command_proves_every_trail_and_gives_checkpoints_to_go_on_from(trail, end, agency):
    code, said = run()
    assert code == 0
    checkpoints = [line.removeprefix("checkpoint ") for line in said.splitlines() if line.startswith("checkpoint ")]
    assert {text.split(":")[0] for text in checkpoints} == {"public", "t_harbour", "t_agency"}
    CollectionFactory()
    code, said = run(*[word for text in checkpoints for word in ("--since-checkpoint", text)])
    assert code == 0
    assert "t_harbour: 1 events, nothing wrong" in said


def test_the_command_fails_where_anything_is_wrong(trail, end, agency):
    tamper(('DELETE FROM audit_auditevent WHERE "position" = %s', end - 4))
    code, said = run("--tenant", "harbour")
    assert code == 1
    assert f"t_harbour: {end - 4}: is missing" in said
    assert "1 faults" in said
    assert run("--tenant", "agency")[0] == 0, "another tenant's trail is another chain"
    with use_tenant(agency):
        assert not faults(agency.schema_name)


def test_a_trail_that_is_gone_with_its_schema_is_found_by_its_checkpoint(trail):
    code, said = run("--since-checkpoint", f"t_mill:7:{'a' * 64}")
    assert code == 1
    assert "t_mill: 7: the whole trail is gone" in said


@pytest.mark.parametrize("text", ["", "t_harbour", "t_harbour:x:y", "a:1:b:c"])
def test_what_is_no_checkpoint_is_refused(trail, text):
    code, said = run("--since-checkpoint", text)
    assert code == 1
    assert "parted by colons" in said


def test_a_tenant_that_is_not_there_is_refused(trail):
    assert run("--tenant", "nowhere") == (1, "There is no tenant nowhere.")
