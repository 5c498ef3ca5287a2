"""Every part of the running platform is killed while it works. Nothing accepted is lost, doubled or stuck."""

from __future__ import annotations

import json
import signal
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.event_reader import Follower
from tests.knowledge.pdfs import typeset
from tests.model_server.process import ModelServer
from tests.platform_process import Company, Platform, running_platform

pytestmark = pytest.mark.chaos
SLOW = "stub-60x50"  # 60 tokens, one every 50 ms: three seconds in which to be killed


@pytest.fixture(scope="module")
def platform(platform_data: Path, model_server_process: ModelServer) -> Iterator[Platform]:
    with running_platform(platform_data, EGRESS_ALLOW=model_server_process.host_and_port) as platform:
        yield platform


@pytest.fixture
def hotel(platform: Platform) -> Company:
    return platform.companies["harbour"]


@pytest.fixture(scope="module")
def slow_agent(platform: Platform, model_server_process: ModelServer) -> str:
    """The id of an agent at the hotel whose model takes its time."""
    return platform.companies["harbour"].agent_with_model(SLOW, model_server_process.url)


@pytest.fixture
def begin(hotel: Company, slow_agent: str) -> Iterator[Callable[[], Follower]]:
    """`begin()`: a new conversation with the slow agent, followed from its first event on."""
    followers: list[Follower] = []

    def make() -> Follower:
        conversation = hotel.made("/api/v1/conversations", {"agent": slow_agent})["id"]
        followers.append(Follower(hotel, conversation))
        return followers[-1]

    yield make
    for follower in followers:
        follower.stop()


def say(follower: Follower, text: str) -> str:
    """The turn that answers a message."""
    accepted = follower.company.made(f"/api/v1/conversations/{follower.conversation}/messages", {"content": text})
    return str(accepted["turn"])


def say_until_accepted(follower: Follower, text: str) -> str:
    """As a careful program does it: the same message under the same key, until somebody has taken it."""
    key, deadline = uuid.uuid4().hex, time.monotonic() + 90
    while time.monotonic() < deadline:
        try:
            answer = follower.company.call(
                "POST",
                f"/api/v1/conversations/{follower.conversation}/messages",
                {"content": text},
                headers={"Idempotency-Key": key},
            )
        except OSError:
            time.sleep(0.2)
            continue
        if answer.status == 202:
            return str(answer.json["turn"])
        assert (answer.status, answer.json["code"]) == (503, "database_unavailable"), answer
        time.sleep(0.2)
    raise AssertionError("the message was never accepted")


def assert_each_event_once(follower: Follower) -> None:
    numbers = [event.number for event in follower.events]
    assert numbers == list(range(1, len(numbers) + 1))


def assert_replay_agrees(follower: Follower) -> None:
    """Whoever comes later hears exactly what was heard live, from wherever they start."""
    heard = list(follower.events)
    for start in (0, len(heard) // 2):
        late = Follower(follower.company, follower.conversation, events=heard[:start])
        deadline = time.monotonic() + 60
        while len(late.events) < len(heard) and time.monotonic() < deadline:
            time.sleep(0.02)
        late.stop()
        assert late.events == heard


def ending(platform: Platform, follower: Follower, turn: str) -> str:
    """How a turn ended: `answered`, or the code of the error it was closed with. Its rows agree with its events."""
    done = follower.wait_for("done", turn)
    events = follower.of(turn)
    assert [event.kind for event in events].count("done") == 1
    assert events[-1] == done
    company = follower.company
    (row,) = platform.rows(company, "SELECT * FROM conversations_turn WHERE id = %s", turn)
    assert row["status"] == done.data["status"]
    assert [kept[0] for kept in as_list(row["events"])] == [event.number for event in events]

    said = platform.rows(company, "SELECT role, text FROM conversations_message WHERE turn_id = %s ORDER BY id", turn)
    spoken = "".join(event.data["text"] for event in events if event.kind == "delta").strip()
    assert Counter(message["role"] for message in said)["contact"] == 1
    assert [message["text"] for message in said if message["role"] == "agent"] == ([spoken] if spoken else [])
    usage = platform.rows(company, "SELECT * FROM billing_usageevent WHERE turn_id = %s", turn)
    errors = [event.data["code"] for event in events if event.kind == "error"]
    if errors:
        assert row["status"] == "failed"
        assert len(errors) == 1
        assert len(usage) <= 1
        return str(errors[0])
    assert row["status"] == "done"
    assert len(usage) == 1
    tokens = [int(word.split("@")[0]) for word in spoken.split()]
    assert tokens == list(range(60))
    return "answered"


def as_list(value: Any) -> list[Any]:
    found: list[Any] = json.loads(value) if isinstance(value, str) else value
    return found


def assert_nothing_is_left_open(platform: Platform, company: Company, seconds: float = 120) -> None:
    """No turn waits or runs, no document is half read, and nobody holds work."""
    deadline = time.monotonic() + seconds
    while True:
        turns = platform.rows(company, "SELECT id FROM conversations_turn WHERE status IN ('queued', 'running')")
        documents = platform.rows(company, "SELECT id FROM knowledge_document WHERE status NOT IN ('ready', 'failed')")
        leases = platform.rows(company, "SELECT * FROM tenants_worklease")
        if not (turns or documents or leases):
            return
        assert time.monotonic() < deadline, (turns, documents, leases)
        time.sleep(0.2)


def ledger(pages: int) -> bytes:
    """A document no two of whose pages are alike, in any run."""
    name = uuid.uuid4().hex
    return typeset(
        *(f"Ledger {name}, page {page}: berth {page * 31} was let to the vessel {page * 7}." for page in range(pages))
    )


def collection_for(hotel: Company) -> str:
    name = f"ledgers-{uuid.uuid4().hex[:8]}"
    return str(hotel.made("/api/v1/collections", {"name": name, "slug": name})["id"])


def wait_until_read(
    platform: Platform, company: Company, document: str, *, percent: int = 100, seconds: float = 180
) -> Any:
    """The document's row, once reading it has come so far."""
    deadline = time.monotonic() + seconds
    while True:
        (row,) = platform.rows(company, "SELECT * FROM knowledge_document WHERE id = %s", document)
        if row["progress"] >= percent or row["status"] in ("ready", "failed"):
            return row
        assert time.monotonic() < deadline, row
        time.sleep(0.05)


def assert_read_exactly_once(platform: Platform, company: Company, document: str, *, pages: int) -> None:
    row = wait_until_read(platform, company, document)
    assert (row["status"], row["progress"], row["pages"]) == ("ready", 100, pages), row
    chunks = platform.rows(company, "SELECT ordinal, page, text FROM knowledge_chunk WHERE document_id = %s", document)
    assert row["passages"] == len(chunks)
    assert sorted(chunk["ordinal"] for chunk in chunks) == list(range(len(chunks)))
    assert {chunk["page"] for chunk in chunks} == set(range(1, pages + 1))
    assert len({chunk["text"] for chunk in chunks}) == len(chunks)


def test_a_killed_web_server_loses_no_turn_and_no_event(
    platform: Platform, hotel: Company, begin: Callable[[], Follower]
) -> None:
    follower = begin()
    running = say(follower, "Count, please.")
    waiting = say(follower, "And again, please.")
    follower.wait_for("delta", running)

    killed = time.monotonic()
    wait_until_back = platform.terminal.strike("web")
    wait_until_back()

    assert ending(platform, follower, running) == "turn_interrupted"
    assert time.monotonic() - killed < 60
    assert ending(platform, follower, waiting) == "answered"
    assert ending(platform, follower, say(follower, "Once more.")) == "answered"
    assert follower.connections >= 2
    assert_each_event_once(follower)
    assert_replay_agrees(follower)
    assert_nothing_is_left_open(platform, hotel)


def test_a_web_server_that_is_asked_to_stop_lets_the_answer_end_or_hands_it_over_at_once(
    platform: Platform, hotel: Company, begin: Callable[[], Follower]
) -> None:
    follower = begin()
    running = say(follower, "Count, please.")
    follower.wait_for("delta", running)

    wait_until_back = platform.terminal.strike("web", signal.SIGTERM)
    wait_until_back()

    assert ending(platform, follower, running) == "answered"
    assert ending(platform, follower, say(follower, "Once more.")) == "answered"
    assert_each_event_once(follower)
    assert_replay_agrees(follower)
    assert_nothing_is_left_open(platform, hotel)


def test_a_killed_worker_leaves_the_document_to_be_read_once_more_and_once_only(
    platform: Platform, hotel: Company
) -> None:
    document = hotel.upload(ledger(400), filename="ledger.pdf", collection=collection_for(hotel))["id"]
    assert wait_until_read(platform, hotel, document, percent=40)["status"] == "embedding"

    wait_until_back = platform.terminal.strike("worker")
    wait_until_back()

    assert_read_exactly_once(platform, hotel, document, pages=400)
    assert_nothing_is_left_open(platform, hotel)


@pytest.mark.parametrize("part", ["postgres", "redis"])
def test_a_killed_server_loses_nothing_that_was_accepted(
    platform: Platform, hotel: Company, begin: Callable[[], Follower], part: str
) -> None:
    followers = [begin() for _ in range(4)]
    document = hotel.upload(ledger(100), filename="ledger.pdf", collection=collection_for(hotel))["id"]
    running = [say(follower, "Count, please.") for follower in followers]
    for follower, turn in zip(followers, running, strict=True):
        follower.wait_for("delta", turn)

    wait_until_back = platform.terminal.strike(part)
    later = [say_until_accepted(follower, "And again, please.") for follower in followers]
    wait_until_back()

    for follower, first, second in zip(followers, running, later, strict=True):
        assert ending(platform, follower, first) == "answered"
        assert ending(platform, follower, second) == "answered"
        assert_each_event_once(follower)
    assert_replay_agrees(followers[0])
    assert_read_exactly_once(platform, hotel, document, pages=100)
    after = hotel.upload(ledger(3), filename="ledger.pdf", collection=collection_for(hotel))["id"]
    assert_read_exactly_once(platform, hotel, after, pages=3)
    assert_nothing_is_left_open(platform, hotel)


def test_messages_of_clients_that_leave_as_they_ask_are_answered_or_were_never_taken(
    platform: Platform, hotel: Company, slow_agent: str
) -> None:
    conversations = [hotel.made("/api/v1/conversations", {"agent": slow_agent})["id"] for _ in range(40)]

    for number, conversation in enumerate(conversations):
        connection = hotel.connect()
        headers = hotel.headers(Content_Type="application/json", Accept="text/event-stream")
        path = f"/api/v1/conversations/{conversation}/messages"
        connection.request("POST", path, body=b'{"content": "Count, please."}', headers=headers)
        time.sleep(number / 2000)  # from before it is read to after it was accepted
        connection.close()

    assert_nothing_is_left_open(platform, hotel)
    turns = platform.rows(
        hotel,
        "SELECT status FROM conversations_turn WHERE conversation_id = ANY(%s::uuid[])",
        conversations,
    )
    assert turns
    assert {turn["status"] for turn in turns} == {"done"}
