"""What every resource of the control plane owes its callers, tested by declaring the resource:

    class TestFlags(ResourceContract):
        address = "/api/v1/flags"
        factory = FlagFactory
        reads, writes = Permission.FLAGS_READ, Permission.FLAGS_WRITE
        body = {"key": "new_ui"}
        change = {"description": "The new look"}

A resource that isn't created, changed or deleted over REST leaves `body` or `change` out, or says `deletable = False`.
What is special about a resource has tests of its own beside this.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Collection, Mapping
from typing import Any, ClassVar, TypeVar

import pytest
from django.test import Client
from rest_framework.test import APIClient

from tenants.context import use_public, use_tenant
from tenants.domain.api_keys import create_api_key
from tenants.models import Tenant
from tenants.permissions import ROLE_PERMISSIONS, Permission, Role
from tests.callers import host_of
from tests.isolation import assert_hidden, assert_not_listed, assert_problem
from tests.query_count import queries

Api = Callable[[Tenant], APIClient]
Marked = TypeVar("Marked", bound=Callable[..., None])


def by_way_of(road: str) -> Callable[[Marked], Marked]:
    """Marks a test of what only a resource that declares `body`, `change` or `deletable` can do."""

    def mark(test: Marked) -> Marked:
        test.road = road  # type: ignore[attr-defined]
        return test

    return mark


class ResourceContract:
    """A subclass named `Test…` declares one resource.

    Attributes:
        address: of the list, without a slash at its end.
        factory: makes a row in the scope in force, a new one at each call. Override `made` where that isn't enough.
        body: what one is created with; None where that can't be done over REST.
        change: fields to change, with values that differ from what `factory` makes; None likewise.
        reads, writes: the permissions that it asks for.
        deletable: whether DELETE takes one away, or out of sight.
        follows: fields that follow from a change without being named in it.
    """

    address: ClassVar[str]
    factory: ClassVar[Any]
    reads: ClassVar[Permission]
    writes: ClassVar[Permission]
    body: ClassVar[Mapping[str, Any] | None] = None
    change: ClassVar[Mapping[str, Any] | None] = None
    deletable: ClassVar[bool] = True
    follows: ClassVar[frozenset[str]] = frozenset({"updated_at", "revision"})

    def __init_subclass__(cls, **about: Any) -> None:
        """What the resource has no road for isn't tested, so that nothing is skipped."""
        super().__init_subclass__(**about)
        for name, test in vars(ResourceContract).items():
            road = getattr(test, "road", None)
            if road and not getattr(cls, road):
                setattr(cls, name, None)

    def made(self, tenant: Tenant) -> Any:
        """A row of this tenant's."""
        with use_tenant(tenant):
            return self.factory()

    def at(self, pk: object) -> str:
        """Where a row is."""
        return f"{self.address}/{pk}"

    # --- reading ------------------------------------------------------------------------------------------------------

    def test_rows_are_listed_newest_first_page_by_page(self, api: Api, harbour: Tenant) -> None:
        made = [str(self.made(harbour).pk) for _ in range(3)]
        caller = api(harbour)
        seen, address = [], f"{self.address}?limit=2"
        while address:
            page = caller.get(address).json()
            assert len(page["results"]) <= 2
            seen += [row["id"] for row in page["results"]]
            address = page["next"]
        # By id, which is by time to the millisecond.
        assert [pk for pk in seen if pk in made] == sorted(made, reverse=True)
        assert len(seen) == len(set(seen))

    def test_a_row_is_shown_as_it_is_listed(self, api: Api, harbour: Tenant) -> None:
        row, caller = self.made(harbour), api(harbour)
        shown = caller.get(self.at(row.pk))
        assert shown.status_code == 200
        assert shown["ETag"]
        assert shown.json() in caller.get(self.address).json()["results"]

    def test_more_rows_cost_no_more_queries(self, api: Api, harbour: Tenant) -> None:
        caller = api(harbour)
        self.made(harbour)
        one = queries(caller, self.address)
        for _ in range(2):
            self.made(harbour)
        assert queries(caller, self.address) == one

    @pytest.mark.parametrize("query", ["limit=none", "cursor=nonsense", "limit=-1", "limit=%00"])
    def test_a_page_that_cant_be_asked_for_is_no_fault_of_ours(self, api: Api, harbour: Tenant, query: str) -> None:
        assert api(harbour).get(f"{self.address}?{query}").status_code < 500

    # --- writing ------------------------------------------------------------------------------------------------------

    @by_way_of("body")
    def test_one_is_created_and_found_where_the_answer_says(self, api: Api, harbour: Tenant) -> None:
        caller, body = api(harbour), dict(self.body or {})
        made = caller.post(self.address, body)
        assert made.status_code == 201, made.content
        found = caller.get(made["Location"])
        assert (found.json(), found["ETag"]) == (made.json(), made["ETag"])
        assert found.json()["id"] in {row["id"] for row in caller.get(self.address).json()["results"]}
        self._assert_shows(found.json(), body)

    @by_way_of("body")
    def test_a_request_that_is_repeated_creates_one(self, api: Api, harbour: Tenant) -> None:
        caller, body, key = api(harbour), dict(self.body or {}), {"Idempotency-Key": str(uuid.uuid4())}
        first, again = (caller.post(self.address, body, headers=key) for _ in range(2))
        assert first.status_code == again.status_code == 201
        assert first.json() == again.json()
        assert len(caller.get(self.address).json()["results"]) == 1 + self._there_before(harbour)
        other = caller.post(self.address, {**body, "something": "else"}, headers=key)
        assert_problem(other, 422, "idempotency_key_reused")

    @pytest.mark.parametrize("body", ["[]", "null", "7", '"text"', "{", "", '{"id": {"a": [null]}}', "[[[]]]"])
    @by_way_of("body")
    def test_a_body_that_cant_be_is_refused(self, api: Api, harbour: Tenant, body: str) -> None:
        answer = api(harbour).post(self.address, body, content_type="application/json")
        assert answer.status_code in {400, 422}, answer.content
        assert answer["Content-Type"] == "application/problem+json"

    @by_way_of("change")
    def test_fields_that_are_left_out_of_a_change_stay(self, api: Api, harbour: Tenant) -> None:
        row, caller, change = self.made(harbour), api(harbour), dict(self.change or {})
        before = caller.get(self.at(row.pk))
        changed = caller.patch(self.at(row.pk), change, headers={"If-Match": before["ETag"]})
        assert changed.status_code == 200, changed.content
        assert changed["ETag"] != before["ETag"]
        assert caller.get(self.at(row.pk)).json() == changed.json()
        self._assert_shows(changed.json(), change)
        kept = before.json().keys() - change.keys() - self.follows
        assert {name: changed.json()[name] for name in kept} == {name: before.json()[name] for name in kept}

    @by_way_of("change")
    def test_of_two_who_change_one_the_second_is_told_and_nothing_is_lost(self, api: Api, harbour: Tenant) -> None:
        row, caller, change = self.made(harbour), api(harbour), dict(self.change or {})
        seen = {"If-Match": caller.get(self.at(row.pk))["ETag"]}
        hers = caller.patch(self.at(row.pk), change, headers=seen)
        assert hers.status_code == 200, hers.content
        assert_problem(caller.patch(self.at(row.pk), change, headers=seen), 412, "stale")
        assert caller.get(self.at(row.pk)).json() == hers.json()

    @by_way_of("deletable")
    def test_what_is_deleted_is_gone(self, api: Api, harbour: Tenant) -> None:
        row, caller = self.made(harbour), api(harbour)
        assert caller.delete(self.at(row.pk)).status_code == 204
        assert_problem(caller.get(self.at(row.pk)), 404, "not_found")
        assert_not_listed(caller, self.address, row.pk)

    # --- who ----------------------------------------------------------------------------------------------------------

    def test_another_companys_rows_are_not_there(self, api: Api, harbour: Tenant, agency: Tenant) -> None:
        row = self.made(agency)
        owner, stranger = api(agency), api(harbour)
        before = owner.get(self.at(row.pk)).json()
        assert_not_listed(stranger, self.address, row.pk)
        assert_hidden(stranger, "get", self.at, row.pk)
        if self.change is not None:
            assert_hidden(stranger, "patch", self.at, row.pk, dict(self.change))
        if self.deletable:
            assert_hidden(stranger, "delete", self.at, row.pk)
        assert owner.get(self.at(row.pk)).json() == before

    def test_a_stranger_is_asked_who_they_are(self, harbour: Tenant) -> None:
        row, stranger = self.made(harbour), Client(HTTP_HOST=host_of(harbour))
        for method, address in self._asked(row.pk):
            answer = stranger.generic(method.upper(), address, "{}", content_type="application/json")
            assert_problem(answer, 401, "not_authenticated")

    @pytest.mark.parametrize("role", list(Role))
    def test_a_member_does_what_their_role_allows(
        self, harbour: Tenant, client_for: Any, staff_of: Any, role: Role
    ) -> None:
        person = client_for(harbour, staff_of(harbour, role=role))
        self._assert_does(person, harbour, ROLE_PERMISSIONS[role])

    @pytest.mark.parametrize("scopes", ["reads", "writes", "neither"])
    def test_a_program_does_what_its_scopes_allow(self, harbour: Tenant, scopes: str) -> None:
        given = {"reads": {self.reads}, "writes": {self.writes}}.get(scopes, {self._another()})
        with use_public():
            key = create_api_key(tenant=harbour, name=scopes, scopes=given)[1]
        program = Client(HTTP_HOST=host_of(harbour), HTTP_AUTHORIZATION=f"Bearer {key}")
        self._assert_does(program, harbour, given)

    def _assert_does(self, caller: Client, tenant: Tenant, permissions: Collection[Permission]) -> None:
        row = self.made(tenant)
        for method, address in self._asked(row.pk):
            wanted = self.reads if method == "get" else self.writes
            answer = caller.generic(method.upper(), address, "{}", content_type="application/json")
            if wanted in permissions:
                assert answer.status_code != 403, f"{method} {address}: {answer.content[:300]!r}"
            else:
                assert_problem(answer, 403, "forbidden")

    def _another(self) -> Permission:
        return next(one for one in ROLE_PERMISSIONS[Role.OWNER] if one not in (self.reads, self.writes))

    # --- the declaration ----------------------------------------------------------------------------------------------

    def _asked(self, pk: object) -> list[tuple[str, str]]:
        """Every method and address of the resource."""
        asked = [("get", self.address), ("get", self.at(pk))]
        asked += [("post", self.address)] if self.body is not None else []
        asked += [("patch", self.at(pk))] if self.change is not None else []
        return asked + ([("delete", self.at(pk))] if self.deletable else [])

    def _there_before(self, tenant: Tenant) -> int:
        """How many rows a tenant has from its beginning."""
        return 0

    def _assert_shows(self, shown: Mapping[str, Any], sent: Mapping[str, Any]) -> None:
        """What was sent is what is shown, as far as it is shown at all."""
        for name in shown.keys() & sent.keys():
            assert shown[name] == json.loads(json.dumps(sent[name])), name
