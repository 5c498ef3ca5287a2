"""Two requests at once under one key: one is done, the other is told to wait."""

import threading
import uuid

import pytest
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory

from switchboard.kernel.encryption import decrypt
from switchboard.kernel.idempotency import idempotent
from switchboard.kernel.parsers import JsonParser
from switchboard.kernel.problems import Problem
from switchboard.kernel.redis import redis_client
from tenants.context import use_tenant


class Caller:
    """A member of staff, as far as a key's name space goes."""

    def __init__(self, pk=1):
        self.pk = pk


def request(key, body=None, caller=None):
    made = Request(
        APIRequestFactory().post("/api/v1/things", body or {}, format="json", headers={"Idempotency-Key": key}),
        parsers=[JsonParser()],
    )
    made.user = caller or Caller()
    return made


@pytest.fixture
def key():
    return str(uuid.uuid4())


def test_the_second_of_two_at_once_is_told_to_wait(in_harbour, key):
    entered, go_on, answers = threading.Event(), threading.Event(), []

    @idempotent
    def create(view, request):
        entered.set()
        assert go_on.wait(5)
        return Response({"id": 7}, status=201)

    def first():
        with use_tenant(in_harbour):
            answers.append(create(None, request(key)))

    thread = threading.Thread(target=first)
    thread.start()
    assert entered.wait(5)
    with pytest.raises(Problem) as caught:
        create(None, request(key))
    assert (caught.value.status, caught.value.code) == (409, "request_in_progress")
    assert int(caught.value.headers["Retry-After"]) >= 1
    with pytest.raises(Problem) as caught:
        create(None, request(key, {"other": 1}))
    assert caught.value.code == "idempotency_key_reused"
    go_on.set()
    thread.join()
    again = create(None, request(key))
    assert (again.status_code, again.data) == (answers[0].status_code, answers[0].data) == (201, {"id": 7})


def test_a_failure_frees_the_key(in_harbour, key):
    attempts = []

    @idempotent
    def create(view, request):
        attempts.append(1)
        if len(attempts) == 1:
            raise ConnectionResetError
        return Response({}, status=201)

    with pytest.raises(ConnectionResetError):
        create(None, request(key))
    assert create(None, request(key)).status_code == 201


def test_the_record_is_unreadable_and_ends(in_harbour, key):
    @idempotent
    def create(view, request):
        return Response({"key": "sb_secret"}, status=201)

    create(None, request(key))
    (place,) = redis_client().keys("t:t_harbour:staff:1:idempotency:*")
    record = redis_client().get(place)
    assert "sb_secret" not in record
    assert "sb_secret" in decrypt(record)
    assert 0 < redis_client().ttl(place) <= 24 * 3600
    redis_client().delete(place)


def test_keys_of_two_people_are_two(in_harbour, key):
    @idempotent
    def create(view, request):
        return Response({"for": request.user.pk}, status=201)

    assert [create(None, request(key, caller=Caller(pk))).data["for"] for pk in (1, 2, 1)] == [1, 2, 1]


def test_without_a_key_nothing_is_remembered(in_harbour):
    @idempotent
    def create(view, request):
        return Response({}, status=201)

    plain = Request(APIRequestFactory().post("/api/v1/things", {}, format="json"), parsers=[JsonParser()])
    before = redis_client().dbsize()
    create(None, plain)
    assert redis_client().dbsize() == before
