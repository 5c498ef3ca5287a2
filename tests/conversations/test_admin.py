"""The list of conversations, the thread page, and the home page in the staff's admin."""

import csv
import datetime as dt
import io
import json
import uuid

import pytest
from django.test import Client
from django.utils import timezone

from conversations.models import Conversation
from tenants.context import use_tenant
from tests.factories import (
    AgentFactory,
    ConversationFactory,
    DocumentFactory,
    MessageFactory,
    TurnFactory,
    UsageFactory,
)
from tests.query_count import queries

LIST = "/admin/conversations/conversation/"


def talk(title="When is breakfast?", status="done", **turn):
    """A conversation with one question and its answer, which cites a document."""
    row = ConversationFactory(title=title)
    turn = TurnFactory(conversation=row, status=status, **turn)
    MessageFactory(turn=turn, text=title)
    document = str(uuid.uuid4())
    citation = {
        "number": 1,
        "document": document,
        "title": "House rules",
        "page": 3,
        "quote": "from 7 to 11",
        "url": "/old",
    }
    MessageFactory(turn=turn, role="agent", text="From 7 to 11 [1], <b>daily</b> [2].", citations=[citation])
    UsageFactory(turn_id=turn.pk, conversation_id=row.pk, input_tokens=812, output_tokens=95, model="small-1")
    return row, document


def test_strangers_are_sent_to_the_sign_in_page(in_harbour):
    row, _ = talk()
    for address in (LIST, f"{LIST}{row.pk}/change/", "/admin/billing/usageevent/"):
        assert Client(HTTP_HOST="harbour.localhost").get(address)["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("address", [LIST, "/admin/", "/admin/billing/usageevent/"])
def test_pages_ask_as_often_for_three_conversations_as_for_one(staff, address):
    talk()
    DocumentFactory(status="failed")
    one = queries(staff, address)
    for _ in range(2):
        talk()
        DocumentFactory(status="failed")
    assert queries(staff, address) == one


def test_a_thread_asks_as_often_for_three_turns_as_for_one(staff):
    row, _ = talk()
    one = queries(staff, f"{LIST}{row.pk}/change/")
    for _ in range(2):
        turn = TurnFactory(conversation=row, status="done")
        MessageFactory(turn=turn)
        UsageFactory(turn_id=turn.pk)
    assert queries(staff, f"{LIST}{row.pk}/change/") == one


def test_a_thread_reads_as_it_was_said_with_links_made_now(staff):
    row, document = talk()
    page = staff.get(f"{LIST}{row.pk}/change/")
    text = page.content.decode()
    assert "When is breakfast?" in text
    assert "&lt;b&gt;daily&lt;/b&gt; [2]." in text
    assert f'href="/documents/{document}/pages/3?quote=from+7+to+11&amp;token=' in text
    assert 'href="/old"' not in text
    assert "812 tokens in, 95 out" in text
    assert "small-1" in text


def test_a_turn_that_failed_says_so(staff):
    row, _ = talk(status="failed", error_code="model_unreachable")
    assert "model_unreachable" in staff.get(f"{LIST}{row.pk}/change/").content.decode()


def test_citations_of_an_older_kind_are_left_out(staff):
    turn = TurnFactory(status="done")
    MessageFactory(
        turn=turn, role="agent", text="See [1].", citations=[{"number": 1}, {"document": "nonsense", "page": "x"}]
    )
    assert "See [1]." in staff.get(f"{LIST}{turn.conversation_id}/change/").content.decode()


def test_a_conversation_without_a_word_has_a_page(staff):
    row = ConversationFactory()
    assert "Nothing was said" in staff.get(f"{LIST}{row.pk}/change/").content.decode()
    assert "Nothing said yet" in staff.get(LIST).content.decode()


def test_the_list_finds_what_was_said_and_filters(staff):
    talk("Breakfast?")
    talk("May I bring a dog?", status="failed")
    assert "Breakfast?" not in staff.get(LIST, {"q": "dog"}).content.decode()
    assert "dog" in staff.get(LIST, {"q": "bring a dog"}).content.decode()
    page = staff.get(LIST, {"last": "failed"}).content.decode()
    assert "bring a dog" in page
    assert "Breakfast?" not in page


def test_the_last_answer_counts(staff):
    row, _ = talk(status="failed")
    TurnFactory(conversation=row, status="done")
    assert "Answered" in staff.get(LIST).content.decode().split("<tbody")[1]


def test_a_table_is_taken_away_and_holds_no_formula(staff):
    talk("=HYPERLINK(1)")
    talk("Fine, äöü")
    ids = list(Conversation.objects.values_list("pk", flat=True))
    answer = staff.post(LIST, {"action": "export_csv", "_selected_action": ids})
    assert answer["Content-Disposition"].startswith("attachment")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert {row["title"] for row in rows} == {"'=HYPERLINK(1)", "Fine, äöü"}
    assert {(row["messages"], row["last_answer"]) for row in rows} == {("2", "done")}


def test_conversations_are_only_read(staff):
    row, _ = talk()
    assert staff.get(f"{LIST}add/").status_code == 403
    staff.post(f"{LIST}{row.pk}/change/", {"title": "Changed"})
    assert staff.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    row.refresh_from_db()
    assert row.title == "When is breakfast?"


def test_another_tenants_conversation_is_not_found(staff, agency):
    with use_tenant(agency):
        row, _ = talk("A secret of the agency")
    assert "A secret" not in staff.get(f"{LIST}{row.pk}/change/", follow=True).content.decode()
    assert "A secret" not in staff.get(LIST).content.decode()


def test_an_empty_company_is_led_by_the_hand(staff):
    page = staff.get("/admin/").content.decode()
    for sentence in ("Make an agent", "Upload documents", "None yet.", "Nobody has written"):
        assert sentence in page


def test_home_shows_what_needs_a_look(staff):
    agent = AgentFactory(name="Marina")
    AgentFactory(name="Nobody yet", live=False)
    DocumentFactory(title="Broken menu", status="failed", error_code="document_damaged")
    DocumentFactory(title="Quiet leaflet")
    talk("When is the spa open?")
    page = staff.get("/admin/")
    text = page.content.decode()
    assert f"/admin/agents/agent/{agent.pk}/playground/" in text
    assert "no release yet" in text
    assert "Broken menu" in text
    assert "Quiet leaflet" not in text
    assert "When is the spa open?" in text
    assert page.context["documents"] == {"ready": 1, "failed": 1, "reading": 0}


def test_conversations_are_counted_by_day(staff):
    for age in (0, 0, 3, 20):
        row = ConversationFactory()
        Conversation.objects.filter(pk=row.pk).update(created_at=timezone.now() - dt.timedelta(days=age))
    page = staff.get("/admin/")
    data = json.loads(page.context["chart"])["datasets"][0]["data"]
    assert len(data) == 14
    assert (data[-1], data[-4], sum(data)) == (2, 1, 3)
    assert page.context["this_week"] == 3
