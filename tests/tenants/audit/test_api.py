"""The trail over REST: read by whoever may, of one's own company, page by page or as a file."""

import csv
import io
import json
import uuid

import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from tenants.actor import Actor, use_actor
from tenants.audit import export
from tenants.audit.models import AuditEvent
from tenants.context import use_tenant
from tests.asgi_client import AsgiClient
from tests.factories import CollectionFactory
from tests.isolation import assert_not_listed, assert_problem
from tests.query_count import queries

INES = Actor(kind="staff", id="8", name="ines", request_id="request-7", address="192.0.2.7")


def make(tenant, *names, actor=INES):
    with use_tenant(tenant), use_actor(actor):
        return [CollectionFactory(name=name, slug=f"c-{uuid.uuid4().hex[:8]}") for name in names]


def test_an_event_is_listed_with_all_that_is_known_of_it(harbour, caller):
    (row,) = make(harbour, "Menus")
    with use_tenant(harbour), use_actor(INES):
        row.name = "Wines"
        row.save()
    event = caller.get("/api/v1/audit?entity=collection").json()["results"][0]
    assert event["action"] == "collection.changed"
    assert (event["old"], event["new"]) == ({"name": "Menus"}, {"name": "Wines"})
    assert (event["actor_kind"], event["actor_id"], event["actor_name"]) == ("staff", "8", "ines")
    assert (event["request_id"], event["address"]) == ("request-7", "192.0.2.7")
    assert event["entity_id"] == str(row.pk)
    assert "words" not in event
    assert caller.get(f"/api/v1/audit/{event['position']}").json() == event


def test_pages_follow_one_another_without_a_gap(harbour, caller):
    make(harbour, *(f"Number {number}" for number in range(5)))
    seen, address = [], "/api/v1/audit?limit=2&entity=collection"
    while address:
        page = caller.get(address).json()
        seen += [event["entity_label"] for event in page["results"]]
        if len(seen) == 2:
            make(harbour, "Late")
        address = page["next"]
    assert seen == [f"Number {number}" for number in (4, 3, 2, 1, 0)]


def test_a_page_costs_the_same_however_long_it_is(harbour, staff):
    make(harbour, "One")
    few = queries(staff, "/api/v1/audit?text=collection")
    make(harbour, "Two", "Three", "Four")
    assert queries(staff, "/api/v1/audit?text=collection") == few


def test_filters_reach_the_query(harbour, caller):
    make(harbour, "Menus", "Wines")
    make(harbour, "Rooms", actor=Actor(kind="staff", id="9", name="otto"))

    def labels(query):
        return {
            event["entity_label"] for event in caller.get(f"/api/v1/audit?entity=collection&{query}").json()["results"]
        }

    assert labels("text=menu") == {"Menus"}
    assert labels("actor=otto") == {"Rooms"}
    assert labels("action=collection.deleted") == set()
    assert labels("since=2001-01-01T00:00:00Z") == {"Menus", "Wines", "Rooms"}
    assert labels("until=2001-01-01T00:00:00Z") == set()


@pytest.mark.parametrize("query", ["since=yesterday", "until=0", "text=" + "a" * 201, "text=%00", "entity=" + "a" * 99])
def test_a_filter_that_is_none_is_refused(caller, query):
    field = query.split("=")[0]
    assert_problem(caller.get(f"/api/v1/audit?{query}"), 422, "invalid", field=field)


@pytest.mark.parametrize("cursor", ["nonsense", "cD1ub25zZW5zZQ==", "cD0=", "cD05OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk="])
def test_a_cursor_that_is_none_is_no_failure(caller, cursor):
    assert caller.get(f"/api/v1/audit?cursor={cursor}").status_code in (200, 404)


def test_another_companys_events_are_not_there(harbour, agency, api):
    make(harbour, *(f"Number {number}" for number in range(12)))
    (row,) = make(harbour, "Harbour's menus")
    with use_tenant(harbour):
        position = AuditEvent.objects.get(entity_id=str(row.pk)).position
    stranger = api(agency)
    assert_not_listed(stranger, "/api/v1/audit", row.pk)
    assert_not_listed(stranger, f"/api/v1/audit?entity_id={row.pk}", row.pk)
    assert_problem(stranger.get(f"/api/v1/audit/{position}"), 404, "not_found")


@pytest.mark.parametrize("position", ["0", "99999999", "9" * 30])
def test_a_position_that_is_not_there(caller, position):
    assert_problem(caller.get(f"/api/v1/audit/{position}"), 404, "not_found")


def test_nothing_is_written_over_rest(harbour, caller):
    make(harbour, "Menus")
    for method in ("post", "put", "patch", "delete"):
        assert getattr(caller, method)("/api/v1/audit/1", {}).status_code in (403, 405)
    assert caller.post("/api/v1/audit", {}).status_code in (403, 405)


@pytest.mark.parametrize(
    ("role", "status"), [("owner", 200), ("builder", 200), ("analyst", 200), ("supporter", 403), ("viewer", 403)]
)
def test_the_trail_is_for_those_who_may_read_it(harbour, client_for, staff_of, role, status):
    client = client_for(harbour, staff_of(harbour, role=role))
    for address in ("/api/v1/audit", "/api/v1/audit/1", "/api/v1/audit/export"):
        assert client.get(address).status_code in {status, 404 if status == 200 else 403}


class TestExport:
    @pytest.fixture(autouse=True)
    def small_batches(self, live_tenants, monkeypatch):
        monkeypatch.setattr(export, "BATCH", 3)

    async def parts(self, harbour, api_key_for, names, query=""):
        """What the server sends, piece by piece."""

        def prepared():
            make(harbour, *names)
            connection.close()
            return api_key_for(harbour)

        client = AsgiClient("harbour.localhost", await sync_to_async(prepared)())
        async with client.stream("GET", f"/api/v1/audit/export?entity=collection{query}") as answer:
            parts = []
            while (part := await answer._parts.get()) is not None:
                parts.append(part.decode())
        assert answer.status == 200
        return answer.headers, parts

    @pytest.mark.parametrize(("number", "batches"), [(0, [0]), (1, [1]), (3, [3]), (7, [3, 3, 1])])
    async def test_every_event_is_in_the_file_once_and_in_order(self, harbour, api_key_for, number, batches):
        names = [f"Number {count}" for count in range(number)]
        headers, parts = await self.parts(harbour, api_key_for, names)
        assert headers["content-type"] == "application/x-ndjson"
        assert [part.count("\n") for part in parts if part] == [batch for batch in batches if batch]
        lines = [json.loads(line) for line in "".join(parts).splitlines()]
        assert [line["entity_label"] for line in lines] == names
        _, parts = await self.parts(harbour, api_key_for, [], "&format=csv")
        assert "".join(parts).startswith('"position","at"')
        rows = list(csv.DictReader(io.StringIO("".join(parts))))
        assert [row["position"] for row in rows] == [str(line["position"]) for line in lines]

    async def test_a_spreadsheet_finds_no_formula(self, harbour, api_key_for):
        names = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", " =1", "\uff1d1", 'plain, "quoted"', "line\nbreak"]
        headers, parts = await self.parts(harbour, api_key_for, names, "&format=csv")
        assert headers["content-type"] == "text/csv; charset=utf-8"
        assert headers["content-disposition"] == 'attachment; filename="audit.csv"'
        labels = [row["entity_label"] for row in csv.DictReader(io.StringIO("".join(parts), newline=""))]
        assert labels == [*(f"'{name}" for name in names[:7]), *names[7:]]

    def test_a_format_that_is_none_is_refused(self, caller):
        assert_problem(caller.get("/api/v1/audit/export?format=xlsx"), 422, "invalid", field="format")
