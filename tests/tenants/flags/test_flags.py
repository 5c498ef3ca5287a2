"""Flags as they are kept: made, changed by two at once, switched, deleted and restored; each tenant's its own."""

import pytest
from django.db.models.signals import post_save

from switchboard.kernel.problems import Conflict, Problem
from tenants.actor import Actor, current_deed, use_actor
from tenants.audit.models import AuditEvent
from tenants.context import use_public, use_tenant
from tenants.flags import current
from tenants.flags.domain.flags import create_flag, delete_flag, restore_flag, switch_flag, update_flag
from tenants.flags.evaluation import Context, Reason
from tenants.flags.models import Flag

KEY = "checkout.new_flow"
EVERYBODY = [{"then": "on"}]


def reason(key=KEY, **context):
    current.forget()
    return current.evaluate(key, Context(**context)).reason


def test_a_new_flag_is_off_until_a_rule_says_otherwise(in_harbour):
    flag = create_flag(key=KEY)
    assert (flag.enabled, flag.default, flag.rules, flag.revision) == (True, False, [], 1)
    assert reason() == Reason.DEFAULT
    assert not current.is_enabled(KEY)


@pytest.mark.parametrize("key", ["", "New", "a b", "a..b", ".a", "a.", "1a", "a/b", "é", "a\n", "checkout.", "x" * 101])
def test_a_key_that_cant_be_is_refused(in_harbour, key):
    with pytest.raises(Problem) as refused:
        create_flag(key=key)
    assert (refused.value.status, refused.value.code) == (422, "flag_invalid")
    assert not Flag.objects.exists()


@pytest.mark.parametrize("key", ["a", "new_ui", "checkout.new-flow", "a.b.c_1", "x" * 100])
def test_a_key_may_have_parts(in_harbour, key):
    assert create_flag(key=key).key == key


def test_a_key_is_taken_once_even_by_a_deleted_flag(in_harbour):
    flag = create_flag(key=KEY)
    with pytest.raises(Conflict, match="already"):
        create_flag(key=KEY)
    delete_flag(flag=flag)
    with pytest.raises(Conflict, match="Restore"):
        create_flag(key=KEY)


def test_of_two_who_edit_the_second_is_told_and_nothing_is_lost(in_harbour):
    flag = create_flag(key=KEY)
    seen = flag.revision
    update_flag(flag=flag, seen=seen, description="hers", rules=EVERYBODY)
    with pytest.raises(Conflict) as refused:
        update_flag(flag=flag, seen=seen, description="his")
    assert refused.value.code == "flag_changed"
    row = Flag.objects.get()
    assert (row.description, row.rules, row.revision) == ("hers", [{"conditions": [], "then": "on"}], 2)


def test_a_change_that_changes_nothing_is_none(in_harbour):
    flag = create_flag(key=KEY, rules=EVERYBODY)
    assert update_flag(flag=flag, rules=EVERYBODY, description="").revision == 1
    assert switch_flag(flag=flag, enabled=True).revision == 1


def test_a_key_is_never_changed(in_harbour):
    flag = create_flag(key=KEY)
    with pytest.raises(TypeError):
        update_flag(flag=flag, key="other")


def test_the_kill_switch_works_while_somebody_edits(in_harbour):
    flag = create_flag(key=KEY, rules=EVERYBODY)
    seen = flag.revision
    switch_flag(flag=flag, enabled=False)
    assert reason() == Reason.KILL_SWITCH
    with pytest.raises(Conflict):
        update_flag(flag=flag, seen=seen, enabled=True)
    assert reason() == Reason.KILL_SWITCH
    switch_flag(flag=flag, enabled=True)
    assert reason() == Reason.RULE


def test_a_deleted_flag_is_unknown_until_it_is_restored(in_harbour):
    flag = create_flag(key=KEY, rules=EVERYBODY)
    delete_flag(flag=flag)
    delete_flag(flag=flag)
    assert reason() == Reason.UNKNOWN_FLAG
    for act in (lambda: update_flag(flag=flag, default=True), lambda: switch_flag(flag=flag, enabled=False)):
        with pytest.raises(Conflict) as refused:
            act()
        assert refused.value.code == "flag_deleted"
    restore_flag(flag=flag)
    assert reason() == Reason.RULE
    assert restore_flag(flag=flag).revision == 3


def test_the_same_key_is_another_flag_at_another_tenant(harbour, agency):
    with use_tenant(harbour):
        mine = create_flag(key=KEY, rules=EVERYBODY)
    with use_tenant(agency):
        assert reason() == Reason.UNKNOWN_FLAG
        create_flag(key=KEY, enabled=False)
        assert reason() == Reason.KILL_SWITCH
    with use_tenant(harbour):
        assert reason() == Reason.RULE
        delete_flag(flag=mine)
        assert reason() == Reason.UNKNOWN_FLAG
    with use_tenant(agency):
        assert Flag.objects.get().deleted_at is None


def test_the_operators_flags_reach_every_tenant_unless_it_has_its_own(harbour, agency):
    with use_public():
        shared = create_flag(key=KEY, rules=EVERYBODY)
        assert reason() == Reason.PLATFORM_RULE
    with use_tenant(agency):
        create_flag(key=KEY)
        assert reason() == Reason.DEFAULT
        assert Flag.objects.count() == 1
    with use_tenant(harbour):
        assert reason() == Reason.PLATFORM_RULE
        assert not Flag.objects.exists()
    with use_public():
        switch_flag(flag=shared, enabled=False)
    for tenant in (harbour, agency):
        with use_tenant(tenant):
            assert reason() == Reason.PLATFORM_KILL_SWITCH


def test_the_tier_and_metadata_at_the_door_are_what_is_looked_at(harbour):
    harbour.service_tier, harbour.metadata = "gold", {"country": "DE"}
    gold = [{"conditions": [{"attribute": "tier", "operator": "is", "value": "gold"}]}]
    german = [{"conditions": [{"attribute": "tenant.country", "operator": "is", "value": "DE"}]}]
    with use_tenant(harbour):
        create_flag(key="gold", rules=gold)
        create_flag(key="german", rules=german)
        assert (reason("gold"), reason("german")) == (Reason.RULE, Reason.RULE)
    harbour.service_tier, harbour.metadata = "", {}
    with use_tenant(harbour):
        assert (reason("gold"), reason("german")) == (Reason.DEFAULT, Reason.DEFAULT)


def test_rules_that_were_written_past_the_door_leave_the_flag_off(in_harbour, caplog):
    Flag.objects.create(key=KEY, rules=[{"what": "is this"}], default=True)
    create_flag(key="other", rules=EVERYBODY)
    assert reason() == Reason.UNREADABLE
    assert current.is_enabled("other")
    assert KEY in caplog.text


def test_who_changes_a_flag_says_what_it_means(in_harbour):
    said = []

    def hear(**kwargs):
        said.append(current_deed())

    post_save.connect(hear, sender=Flag)
    try:
        with use_actor(Actor("staff", "1", "Jo")):
            flag = create_flag(key=KEY, message="for the spring")
            switch_flag(flag=flag, enabled=False, message="it burns")
            update_flag(flag=flag, rules=EVERYBODY)
            delete_flag(flag=flag)
            restore_flag(flag=flag)
    finally:
        post_save.disconnect(hear, sender=Flag)
    assert [(deed.action, deed.message) for deed in said] == [
        ("flag.created", "for the spring"),
        ("flag.killed", "it burns"),
        ("flag.changed", ""),
        ("flag.deleted", ""),
        ("flag.restored", ""),
    ]


def test_the_trail_says_who_changed_what_and_why(in_harbour):
    with use_actor(Actor("staff", "1", "Jo")):
        flag = create_flag(key=KEY)
        update_flag(flag=flag, default=True, message="for the spring")
    switch_flag(flag=flag, enabled=False, message="it burns")
    told = AuditEvent.objects.filter(entity="flag", entity_id=str(flag.pk)).order_by("position")
    made, changed, killed = told.values("actor_name", "action", "message", "old", "new", "entity_label")
    assert (made["actor_name"], made["action"], made["old"], made["entity_label"]) == ("Jo", "flag.created", None, KEY)
    assert (changed["action"], changed["message"]) == ("flag.changed", "for the spring")
    assert (changed["old"], changed["new"]) == ({"default": False}, {"default": True})
    assert (killed["action"], killed["message"], killed["new"]) == ("flag.killed", "it burns", {"enabled": False})
