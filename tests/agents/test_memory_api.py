"""What is remembered, over REST and in the admin: read, agreed to, erased."""

from __future__ import annotations

from typing import Any, ClassVar

from agents.domain import memory
from agents.models import ContactConsent, ContactFact, ConversationSummary
from switchboard.kernel.ids import uuid7
from tenants.permissions import Permission
from tests.isolation import assert_problem
from tests.resource_contract import ResourceContract

_names = iter(range(10_000))


def consent() -> ContactConsent:
    return memory.set_consent(contact=f"guest{next(_names)}", is_given=True, source="form")


def fact() -> ContactFact:
    return memory.keep_fact(contact=consent().contact, key="allergy", value="nuts", days=30)


def summary() -> ConversationSummary:
    return ConversationSummary.objects.create(
        conversation_id=uuid7(), contact=f"guest{next(_names)}", text="They want a room.", covered_until=uuid7()
    )


class TestConsents(ResourceContract):
    address: ClassVar[str] = "/api/v1/contact-consents"
    factory = staticmethod(consent)
    reads, writes = Permission.CONVERSATIONS_READ, Permission.CONVERSATIONS_WRITE
    body: ClassVar[Any] = {"contact": "sam", "is_given": True, "source": "form"}
    deletable = False


class TestFacts(ResourceContract):
    address: ClassVar[str] = "/api/v1/contact-facts"
    factory = staticmethod(fact)
    reads, writes = Permission.CONVERSATIONS_READ, Permission.CONVERSATIONS_WRITE


def test_a_fact_is_kept_by_consent_and_a_contact_is_forgotten(caller: Any, agency: Any, api: Any) -> None:
    body = {"contact": "sam", "key": "allergy", "value": "nuts", "days": 30}
    assert_problem(caller.post("/api/v1/contact-facts", body, format="json"), 409, "consent_missing")
    agreed = {"contact": "sam", "is_given": True, "source": "form"}
    assert caller.post("/api/v1/contact-consents", agreed, format="json").status_code == 201
    assert caller.post("/api/v1/contact-facts", body, format="json").status_code == 201
    assert len(caller.get("/api/v1/contact-facts?contact=sam").json()["results"]) == 1
    assert caller.get("/api/v1/contact-facts?contact=kim").json()["results"] == []
    forget = {"contact": "sam"}
    assert api(agency).post("/api/v1/contact-memory/forget", forget, format="json").json()["facts"] == 0
    assert caller.post("/api/v1/contact-memory/forget", forget, format="json").json() == {
        "facts": 1,
        "summaries": 0,
        "traces": 0,
    }
    assert caller.get("/api/v1/contact-facts").json()["results"] == []


def test_a_summary_is_read_and_erased(caller: Any, in_harbour: Any) -> None:
    row = summary()
    [found] = caller.get(f"/api/v1/conversation-summaries?conversation={row.conversation_id}").json()["results"]
    assert found["text"] == "They want a room."
    assert caller.delete(f"/api/v1/conversation-summaries/{row.pk}").status_code == 204
    row.refresh_from_db()
    assert row.text == ""
    assert row.erased_at is not None


def test_staff_read_and_erase_in_the_admin(staff: Any) -> None:
    kept, said = fact(), summary()
    assert "nuts" in staff.get("/admin/agents/contactfact/").content.decode()
    assert "They want a room." in staff.get(f"/admin/agents/conversationsummary/{said.pk}/change/").content.decode()
    assert staff.get(f"/admin/agents/contactfact/{kept.pk}/change/").status_code == 200
    staff.post(f"/admin/agents/conversationsummary/{said.pk}/delete/", {"post": "yes"})
    staff.post(f"/admin/agents/contactconsent/{kept.consent_id}/delete/", {"post": "yes"})
    assert not ContactFact.objects.exists()
    said.refresh_from_db()
    assert said.text == ""
    staff.get("/admin/")  # says once that it was deleted
    assert "They want a room." not in staff.get("/admin/agents/conversationsummary/").content.decode()


def test_the_home_page_tells_of_the_cache(staff: Any, in_harbour: Any) -> None:
    from django.utils import timezone

    from agents.engine.cache.counting import _place
    from switchboard.kernel.redis import redis_client

    assert "answer cache" not in staff.get("/admin/").content.decode()
    redis_client().hset(_place(timezone.now().date()), mapping={"exact": 2, "similar": 1, "miss": 1})
    assert "<b>75 %</b>" in staff.get("/admin/").content.decode()


def test_the_nightly_task_goes_to_every_tenant_once(live_tenants: None, harbour: Any, agency: Any) -> None:
    from agents import nightly

    assert nightly.announce() >= 2
    assert nightly.announce() == 0
