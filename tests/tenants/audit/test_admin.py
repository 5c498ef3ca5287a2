"""The trail in the admin: who, when, and what became of what, for whoever may read it."""

import re

import pytest
from django.test import Client

from tenants.actor import Actor, doing, use_actor
from tenants.audit import pages
from tenants.audit.models import AuditEvent
from tenants.context import use_public, use_tenant
from tests.factories import CollectionFactory, EndpointFactory, UserFactory
from tests.isolation import assert_not_listed
from tests.query_count import queries

LIST = "/admin/audit/auditevent/"
INES = Actor(kind="staff", id="8", name="ines", address="192.0.2.7")


def text_of(response):
    assert response.status_code == 200, response.content[:300]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


@pytest.fixture
def menus(in_harbour):
    with use_actor(INES):
        row = CollectionFactory(name="Menus", slug="menus")
        row.name = "Wines & menus"
        row.save()
    return row


def test_the_list_says_who_changed_what_from_what_to_what(staff, menus):
    text = text_of(staff.get(LIST))
    assert "collection.changed" in text
    assert "ines" in text
    assert "from 192.0.2.7" in text
    assert "Name Menus → Wines &amp; menus" in text


def test_the_list_is_searched_and_filtered(staff, menus):
    with use_actor(Actor(kind="staff", id="9", name="otto")), doing("endpoint.swapped", "The old one was slow"):
        EndpointFactory(name="Fast models")
    assert "Fast models" in text_of(staff.get(f"{LIST}?text=slow"))
    assert "Wines" not in text_of(staff.get(f"{LIST}?text=slow"))
    assert "Wines" in text_of(staff.get(f"{LIST}?actor=ines"))
    assert "Fast models" not in text_of(staff.get(f"{LIST}?actor=ines"))
    assert "Fast models" in text_of(staff.get(f"{LIST}?action=endpoint.swap"))
    event = AuditEvent.objects.get(action="endpoint.swapped")
    assert "Wines" not in text_of(staff.get(f"{LIST}?entity_id={event.entity_id}"))
    day = event.at.date().isoformat()
    assert "Fast models" in text_of(staff.get(f"{LIST}?since={day}&until={day}"))
    assert "Nothing fits" in text_of(staff.get(f"{LIST}?until=2001-01-01"))


def test_a_filter_that_is_none_is_said_and_stops_nothing(staff, menus):
    text = text_of(staff.get(f"{LIST}?since=yesterday&action=no.such&before=x"))
    assert "Enter a valid date." in text
    assert "Wines" in text
    for query in (
        "before=-1",
        "before=" + "9" * 40,
        "text=%00",
        "since=9999-12-31",
        "until=9999-12-31",
        "until=0001-01-01",
    ):
        assert staff.get(f"{LIST}?{query}").status_code == 200


def test_older_ones_are_a_page_further(staff, in_harbour, monkeypatch):
    monkeypatch.setattr(pages, "PAGE_SIZE", 3)
    for number in range(5):
        CollectionFactory(name=f"Number {number}")
    first = staff.get(f"{LIST}?text=number")
    assert ["Number 4" in text_of(first), "Number 1" in text_of(first)] == [True, False]
    (older,) = re.findall(r'href="\?([^"]*before[^"]*)"', first.content.decode())
    second = text_of(staff.get(f"{LIST}?{older.replace('&amp;', '&')}"))
    assert ["Number 2" in second, "Number 1" in second, "Number 0" in second] == [False, True, True]
    assert "Older" not in second


def test_an_empty_trail_says_so(staff, in_harbour):
    assert "Nothing older" in text_of(staff.get(f"{LIST}?before=1"))


def test_the_list_costs_the_same_for_one_and_for_many(staff, in_harbour):
    CollectionFactory()
    few = queries(staff, LIST)
    CollectionFactory.create_batch(5)
    assert queries(staff, LIST) == few


def test_an_event_has_a_page_with_its_hash(staff, menus):
    event = AuditEvent.objects.get(action="collection.changed")
    text = text_of(staff.get(f"{LIST}{event.position}/change/"))
    assert event.hash in text
    assert event.previous_hash in text
    assert staff.get(f"{LIST}{'9' * 30}/change/").status_code in (302, 404)


def test_a_row_leads_to_its_history(staff, menus):
    page = staff.get(f"/admin/knowledge/collection/{menus.pk}/change/")
    address = f"/admin/knowledge/collection/{menus.pk}/history/"
    assert address in page.content.decode()
    text = text_of(staff.get(address))
    assert text.index("collection.changed") < text.index("collection.created")
    assert "ines" in text
    assert "Name Menus → Wines &amp; menus" in text


def test_a_page_of_our_own_leads_to_its_rows_history(harbour):
    with use_public():
        client = Client(HTTP_HOST="localhost")
        client.force_login(UserFactory(username="olga"))
    page = client.get(f"/admin/tenants/tenant/{harbour.pk}/change/").content.decode()
    assert f"/admin/tenants/tenant/{harbour.pk}/history/" in page
    assert "History of" in text_of(client.get(f"/admin/tenants/tenant/{harbour.pk}/history/"))
    assert "olga" in text_of(client.get(LIST)), "the platform's trail is the operators'"


def test_the_history_is_for_whoever_may_read_the_trail(in_harbour, menus, client_for, staff_of):
    viewer = client_for(in_harbour, staff_of(in_harbour, role="viewer"))
    page = viewer.get(f"/admin/knowledge/collection/{menus.pk}/change/")
    assert page.status_code == 200
    assert "/history/" not in page.content.decode()
    assert viewer.get(f"/admin/knowledge/collection/{menus.pk}/history/").status_code == 403
    for address in (LIST, f"{LIST}1/change/", f"{LIST}export/"):
        assert viewer.get(address).status_code == 403


def test_nothing_of_another_company_shows(staff, menus, agency, client_for):
    with use_tenant(agency):
        foreign = CollectionFactory(name="Agency's secret list")
    assert_not_listed(staff, LIST, foreign.pk, "secret list")
    assert_not_listed(staff, f"{LIST}?text=secret", foreign.pk)
    stranger = client_for(agency)
    assert stranger.get(f"/admin/knowledge/collection/{menus.pk}/history/").status_code == 404
    assert_not_listed(stranger, f"{LIST}?entity_id={menus.pk}", "Wines")


def test_what_people_wrote_is_shown_as_text(staff, in_harbour):
    with use_actor(Actor(kind="staff", name="<b>otto</b>")), doing("x.y", "<script>alert(1)</script>"):
        CollectionFactory(name="<img src=x onerror=alert(1)>")
    page = staff.get(LIST).content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "<b>otto" not in page


def test_the_export_takes_the_filters_along(staff, menus):
    page = staff.get(f"{LIST}?actor=ines").content.decode()
    assert f"{LIST}export/?actor=ines&amp;format=csv" in page
    answer = staff.get(f"{LIST}export/?actor=ines&format=csv")
    assert answer["Content-Type"].startswith("text/csv")
