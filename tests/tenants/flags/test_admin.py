"""Feature flags in both admins."""

import json

import pytest
from django.test import Client

from tenants.context import use_public, use_tenant
from tenants.flags.domain.flags import delete_flag, update_flag
from tenants.flags.models import Flag
from tests.factories import FlagFactory, UserFactory
from tests.query_count import queries

FLAGS = "/admin/flags/flag/"
GOLD = {"conditions": [{"attribute": "tier", "operator": "is", "value": "gold"}], "then": "on"}


@pytest.fixture
def operator(database):
    client = Client(HTTP_HOST="localhost")
    with use_public():
        client.force_login(UserFactory())
    return client


@pytest.fixture
def flag(in_harbour):
    return FlagFactory(key="checkout.new_flow", description="One page instead of three", rules=[GOLD])


def fields(flag=None, **other):
    values = {"description": "", "rules": "[]", "default": "off", "message": ""}
    if flag is not None:
        values |= {"description": flag.description, "rules": json.dumps(flag.rules), "seen": str(flag.revision)}
    return {**values, **other}


def page_of(flag):
    return f"{FLAGS}{flag.pk}/change/"


def test_a_flag_is_made_and_changed(staff, in_harbour):
    answer = staff.post(f"{FLAGS}add/", fields(key="new_ui", rules=json.dumps([GOLD]), message="for spring"))
    flag = Flag.objects.get()
    assert answer["Location"] == page_of(flag)
    assert (flag.key, flag.rules, flag.default) == ("new_ui", [GOLD], False)
    staff.post(page_of(flag), fields(flag, description="The new look", default="on"))
    flag.refresh_from_db()
    assert (flag.description, flag.rules, flag.default, flag.revision) == ("The new look", [GOLD], True, 2)


def test_rules_are_told_in_plain_words(staff, flag):
    update_flag(flag=flag, rules=[{**GOLD, "percentage": 12.5, "until": "2030-01-01T00:00:00Z"}, {"then": "off"}])
    page = staff.get(page_of(flag)).content.decode()
    assert "If service tier is gold for 12.5 % until 2030-01-01 00:00 UTC: on" in page
    assert "Always: off" in page
    assert "(and 1 more)" in staff.get(FLAGS).content.decode()


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ("nonsense", "This is no JSON"),
        ("{}", "valid list"),
        ("[" * 100_000, "This is no JSON"),
        ('[{"then": "maybe"}]', "Rule 1, then: "),
        (json.dumps([GOLD, {"conditions": [{"attribute": "tier", "operator": "is"}]}]), "Rule 2, condition 1, value: "),
    ],
)
def test_rules_that_cant_be_are_named_and_kept_in_the_field(staff, flag, rules, said):
    page = staff.post(page_of(flag), fields(flag, rules=rules))
    assert page.status_code == 422
    assert said in page.content.decode()
    assert page.context["form"]["rules"].value() == rules
    assert Flag.objects.get().rules == [GOLD]


def test_a_key_that_is_taken_or_cant_be_is_named(staff, flag):
    for key in (flag.key, "Not A Key", ""):
        page = staff.post(f"{FLAGS}add/", fields(key=key))
        assert page.status_code == 422
        assert page.context["form"].errors
    assert Flag.objects.count() == 1


def test_of_two_who_edit_the_second_is_told_and_loses_nothing(staff, flag):
    seen = fields(flag)
    update_flag(flag=flag, description="hers", rules=[{"then": "off"}])

    page = staff.post(page_of(flag), {**seen, "description": "his"})

    assert page.status_code == 409
    text = page.content.decode()
    assert "Somebody else changed this flag" in text
    assert "Always: off" in text
    assert page.context["form"]["description"].value() == "his"
    assert Flag.objects.get().description == "hers"
    again = {**seen, "description": "his", "seen": page.context["form"]["seen"].value()}
    assert staff.post(page_of(flag), again).status_code == 302
    assert Flag.objects.get().description == "his"


def test_the_kill_switch_asks_once_and_works(staff, flag):
    ask = staff.get(f"{FLAGS}{flag.pk}/kill/")
    assert "off for everybody in your company" in ask.content.decode()
    assert Flag.objects.get().enabled
    page = staff.post(f"{FLAGS}{flag.pk}/kill/", {"message": "it burns"}, follow=True).content.decode()
    assert "is off for everybody" in page
    assert "Switched off" in page
    assert not Flag.objects.get().enabled
    staff.post(f"{FLAGS}{flag.pk}/on/")
    assert Flag.objects.get().enabled
    assert staff.get(f"{FLAGS}{flag.pk}/on/").status_code == 405


def test_a_deleted_flag_is_shown_apart_and_restored(staff, flag):
    staff.post(f"{FLAGS}{flag.pk}/delete/", {"post": "yes"})
    assert Flag.objects.get().deleted_at
    assert f"{FLAGS}{flag.pk}/change/" not in staff.get(FLAGS).content.decode()
    assert f"{FLAGS}{flag.pk}/change/" in staff.get(f"{FLAGS}?deleted=yes").content.decode()
    page = staff.post(page_of(flag), fields(flag, description="x"), follow=True)
    assert "Restore it first" in page.content.decode()
    staff.post(f"{FLAGS}{flag.pk}/restore/")
    assert Flag.objects.get().deleted_at is None


def test_many_are_deleted_at_once(staff, flag):
    other = FlagFactory()
    chosen = {"action": "delete_selected", "_selected_action": [flag.pk, other.pk], "post": "yes"}
    staff.post(FLAGS, chosen)
    assert not Flag.objects.filter(deleted_at=None).exists()
    assert Flag.objects.count() == 2


# --- try it -----------------------------------------------------------------------------------------------------------


def tried(client, flag, *, fragment=True, **values):
    sent = {"rules": json.dumps(flag.rules), "default": "off", **values}
    headers = {"X-Fragment": "1"} if fragment else {}
    return client.post(f"{FLAGS}{flag.pk}/try/", sent, headers=headers).content.decode()


def test_a_flag_is_tried_for_somebody(staff, flag):
    assert "rule 1 matches" in tried(staff, flag, tier="gold")
    assert "no rule matches" in tried(staff, flag, tier="silver")


def test_what_is_tried_is_the_draft_and_nothing_is_saved(staff, flag):
    draft = [{"conditions": [{"attribute": "tenant.country", "operator": "is", "value": "DE"}]}]
    assert "rule 1 matches" in tried(staff, flag, rules=json.dumps(draft), metadata="country = DE\nrooms=40")
    assert "no rule matches" in tried(staff, flag, rules=json.dumps(draft))
    assert "Rule 1, then" in tried(staff, flag, rules='[{"then": 1}]')
    assert "Write name = value" in tried(staff, flag, metadata="country")
    assert "Enter a valid date" in tried(staff, flag, at="soon")
    assert Flag.objects.get().rules == [GOLD]


def test_a_flag_is_tried_at_a_moment(staff, flag):
    rules = json.dumps([{"from": "2030-01-01T00:00:00Z"}])
    assert "rule 1 matches" in tried(staff, flag, rules=rules, at="2030-01-01T00:00")
    assert "no rule matches" in tried(staff, flag, rules=rules, at="2029-12-31T23:59")


def test_without_a_script_the_answer_comes_with_the_page(staff, flag):
    page = tried(staff, flag, fragment=False, tier="gold")
    assert "rule 1 matches" in page
    assert "Where no rule matches" in page


def test_a_flag_is_tried_before_it_is_made(staff, in_harbour):
    page = staff.post(f"{FLAGS}try/", {"rules": "[]", "default": "on", "key": "x"}, headers={"X-Fragment": "1"})
    assert "On:" in page.content.decode()


def test_what_the_operators_switched_off_shows_when_it_is_tried(staff, flag):
    with use_public():
        FlagFactory(key=flag.key, enabled=False)
    assert "the operators have switched it off" in tried(staff, flag, tier="gold")


# --- who --------------------------------------------------------------------------------------------------------------


def test_another_companys_flags_are_not_there(staff, flag, agency):
    with use_tenant(agency):
        theirs = FlagFactory(key="of.the.agency")
    assert "of.the.agency" not in staff.get(FLAGS).content.decode()
    for rest in ("kill/", "on/", "restore/", "try/"):
        assert staff.post(f"{FLAGS}{theirs.pk}/{rest}").status_code == 404
    for rest in ("change/", "delete/"):
        staff.post(f"{FLAGS}{theirs.pk}/{rest}", fields(description="mine", post="yes"))
    with use_tenant(agency):
        row = Flag.objects.get()
        assert (row.enabled, row.deleted_at, row.description) == (True, None, "")


def test_operators_have_their_own(operator, flag):
    assert flag.key not in operator.get(FLAGS).content.decode()
    operator.post(f"{FLAGS}add/", fields(key="for_all", default="on"))
    with use_public():
        row = Flag.objects.get()
    assert row.key == "for_all"
    assert "every tenant, whatever its own flag says" in operator.get(f"{FLAGS}{row.pk}/kill/").content.decode()
    assert "no rule matches" in tried(operator, row)
    operator.post(f"{FLAGS}{row.pk}/kill/", {})
    with use_public():
        assert not Flag.objects.get().enabled
    assert Flag.objects.get().key == flag.key


def test_the_list_asks_as_often_for_three_as_for_one(staff, flag):
    one = queries(staff, FLAGS)
    FlagFactory.create_batch(2, rules=[GOLD])
    assert queries(staff, FLAGS) == one


def test_a_deleted_flags_page_offers_to_restore_it(staff, flag):
    delete_flag(flag=flag)
    page = staff.get(page_of(flag)).content.decode()
    assert f"{FLAGS}{flag.pk}/restore/" in page
    assert f"{FLAGS}{flag.pk}/kill/" not in page


def test_a_viewer_looks_and_tries_and_changes_nothing(in_harbour, client_for, staff_of, flag):
    viewer = client_for(in_harbour, staff_of(in_harbour, role="viewer"))
    page = viewer.get(page_of(flag)).content.decode()
    assert "If service tier is gold: on" in page
    assert "Save" not in page
    assert f"{FLAGS}{flag.pk}/kill/" not in page + viewer.get(FLAGS).content.decode()
    assert "rule 1 matches" in tried(viewer, flag, tier="gold")
    for address in (page_of(flag), *(f"{FLAGS}{flag.pk}/{rest}/" for rest in ("kill", "on", "restore", "delete"))):
        assert viewer.post(address, fields(flag, description="mine", post="yes")).status_code == 403
    assert viewer.post(f"{FLAGS}add/", fields(key="mine")).status_code == 403
    flag.refresh_from_db()
    assert (flag.revision, flag.deleted_at, flag.description) == (1, None, "One page instead of three")
