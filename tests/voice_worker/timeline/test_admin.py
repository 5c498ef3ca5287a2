"""Voice sessions in the admin: the list, the time axis of one, its recording."""

from __future__ import annotations

import csv
import io
import uuid
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from tenants.context import use_tenant
from tenants.staff.models import Role
from tests.factories import AgentFactory, ConversationFactory, UsageFactory
from tests.isolation import assert_not_listed
from tests.query_count import queries
from tests.voice_worker.timeline.factories import VoiceSessionFactory
from tests.voice_worker.timeline.talk import held
from voice_worker.domain.timeline import Entry, record_entries

LIST = "/admin/voice_worker/voicesession/"


def page_of(session: Any) -> str:
    return f"{LIST}{session.pk}/change/"


def test_the_list_tells_what_each_came_to(staff: Any) -> None:
    held()
    text = staff.get(LIST).content.decode()
    for told in ("When is breakfast?", "Ended", "0:16", "0.0050 USD", ">2<"):
        assert told in text, told


def test_what_was_heard_in_all_is_told_however_often_it_was_booked(staff: Any) -> None:
    session = held(end_reason="participant_disconnected")
    for seconds in ("30", "12.5"):
        UsageFactory.create(
            conversation_id=session.conversation_id, service="stt", provider="deepgram", quantity=seconds, unit="second"
        )
    text = staff.get(page_of(session)).content.decode()
    assert "Speech to text, deepgram: 42.5 seconds" in text
    assert text.count("deepgram") == 1
    assert "hanging up" in text


def test_more_sessions_cost_no_more_queries(staff: Any) -> None:
    held()
    one = queries(staff, LIST)
    for turns in (1, 3):
        held(turns=turns)
    assert queries(staff, LIST) == one


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status__exact=ended", True), ("status__exact=live", False), ("channel__exact=audio", True),
        ("channel__exact=room", False), ("q=breakfast", True), ("q=supper", False), ("o=7", True), ("o=8.-6", True),
    ],
)  # fmt: skip
def test_sessions_are_filtered_searched_and_sorted(staff: Any, query: str, found: bool) -> None:
    session = held()
    text = staff.get(f"{LIST}?{query}").content.decode()
    assert (page_of(session) in text) is found


def test_sessions_are_taken_away_as_a_table(staff: Any) -> None:
    session = held(conversation=ConversationFactory(agent=AgentFactory(name="=HYPERLINK(1)"), title="Hello"))
    sent = {"action": "export_csv", "_selected_action": [str(session.pk)]}
    answer = staff.post(LIST, sent)
    (line,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert line["id"] == str(session.pk)
    assert (line["turns"], line["seconds"], line["cost_usd"]) == ("2", "16.0", "0.00500000")
    assert line["agent"] == "'=HYPERLINK(1)"


def test_the_page_tells_what_happened_when(staff: Any) -> None:
    session = held()
    text = staff.get(page_of(session)).content.decode()
    for lane in ("Contact speaks", "Heard", "Answer", "Voice", "Agent speaks", "Tool", "State", "Error"):
        assert f"<li>{lane}</li>" in text
    assert text.count("<rect ") == 15
    assert "When is breakfast &lt;500&gt;?" in text
    assert "Broken off" in text
    assert "tts_failed" in text
    assert "550 ms" in text
    assert "0.005000 USD" in text
    assert "There is no recording of it" in text
    assert f"/admin/conversations/conversation/{session.conversation_id}/change/" in text
    turn = session.timeline.exclude(turn_id=None).first().turn_id
    assert f"/admin/conversations/conversation/{session.conversation_id}/turns/{turn}/" in text


def test_a_session_in_which_nothing_happened_is_a_page_too(staff: Any) -> None:
    text = staff.get(page_of(VoiceSessionFactory())).content.decode()
    assert "Nothing was noted of this session." in text
    text = staff.get(page_of(VoiceSessionFactory(status="lost", ended_at=None))).content.decode()
    assert "Lost" in text


def test_a_long_session_costs_no_further_queries(staff: Any) -> None:
    few, many = held(turns=1), held(turns=6)
    assert queries(staff, page_of(few)) == queries(staff, page_of(many))


def test_a_page_that_is_open_is_told_what_is_new_and_nothing_else(staff: Any) -> None:
    session = held(status="live", ended_at=None)
    address = f"{LIST}{session.pk}/axis/"
    page = staff.get(page_of(session)).content.decode()
    assert "data-live" in page
    seen = page.split('data-version="')[1].split('"')[0]
    assert staff.get(address, {"seen": seen}).status_code == 204
    record_entries(session_id=session.pk, entries=[Entry("transcript", 20_000, data={"text": "And supper?"})])
    fresh = staff.get(address, {"seen": seen})
    assert fresh.status_code == 200
    assert "And supper?" in fresh.content.decode()


def test_the_thread_lists_its_sessions(staff: Any) -> None:
    session = held()
    thread = f"/admin/conversations/conversation/{session.conversation_id}/change/"
    text = staff.get(thread).content.decode()
    assert page_of(session) in text
    one = queries(staff, thread)
    for _ in range(2):
        held(conversation=session.conversation, turns=0)
    assert queries(staff, thread) == one
    silent = ConversationFactory()
    assert (
        'id="voice-sessions"'
        not in staff.get(f"/admin/conversations/conversation/{silent.pk}/change/").content.decode()
    )


@pytest.fixture
def recorded(staff: Any) -> Any:
    name = default_storage.save("recordings/tests.wav", ContentFile(bytes(range(200))))
    yield held(recording=name)
    default_storage.delete(name)


def recording(session: Any) -> str:
    return f"{LIST}{session.pk}/recording/"


def test_a_recording_is_played_from_anywhere(staff: Any, recorded: Any) -> None:
    assert recording(recorded) in staff.get(page_of(recorded)).content.decode()
    whole = staff.get(recording(recorded))
    assert (whole.status_code, whole["Content-Type"], whole["Accept-Ranges"]) == (200, "audio/wav", "bytes")
    assert b"".join(whole.streaming_content) == bytes(range(200))
    for asked, told, wanted in (
        ("bytes=10-19", "bytes 10-19/200", range(10, 20)),
        ("bytes=190-", "bytes 190-199/200", range(190, 200)),
        ("bytes=-5", "bytes 195-199/200", range(195, 200)),
        ("bytes=190-900", "bytes 190-199/200", range(190, 200)),
    ):
        part = staff.get(recording(recorded), headers={"Range": asked})
        assert (part.status_code, part["Content-Range"]) == (206, told)
        assert b"".join(part.streaming_content) == bytes(wanted)
    beyond = staff.get(recording(recorded), headers={"Range": "bytes=200-"})
    assert (beyond.status_code, beyond["Content-Range"]) == (416, "bytes */200")
    odd = staff.get(recording(recorded), headers={"Range": "bytes=1-2,4-5"})
    assert len(b"".join(odd.streaming_content)) == 200


@pytest.mark.parametrize("name", ["", "recordings/gone.wav", "../../etc/passwd.wav", "recordings/page.html", "wav"])
def test_a_recording_that_isn_t_there_is_said_so(staff: Any, name: str) -> None:
    assert staff.get(recording(held(turns=0, recording=name))).status_code == 404


def test_another_company_s_sessions_are_not_there(staff: Any, agency: Any) -> None:
    with use_tenant(agency):
        foreign = held()
    assert_not_listed(staff, LIST, foreign.pk)
    for address in (f"{LIST}{foreign.pk}/axis/", recording(foreign)):
        assert staff.get(address).status_code == 404
    assert staff.get(page_of(foreign)).status_code == 302
    assert staff.get(f"{LIST}{uuid.uuid4()}/axis/").status_code == 404


def test_who_may_read_only_one_agent_s_threads_sees_only_those(in_harbour: Any, client_for: Any, staff_of: Any) -> None:
    session = held()
    viewer = client_for(in_harbour, staff_of(in_harbour, role=Role.VIEWER))
    assert viewer.get(page_of(session)).status_code == 200
    for act in ("add/", f"{session.pk}/delete/"):
        assert viewer.get(f"{LIST}{act}").status_code == 403


def test_what_another_session_of_the_thread_used_is_not_this_one_s(staff: Any) -> None:
    session = held(turns=1)
    held(turns=3, conversation=session.conversation)
    # What both used beside their turns, at the same time, can't be told apart.
    assert "0.004000 USD" in staff.get(page_of(session)).content.decode()
