"""OpenAI's chat completions, by OpenAI's own client against the server as it is shipped."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import openai
import pytest
from openai import OpenAI

from conversations.models import Conversation, Message, Turn
from tenants.context import use_tenant
from tests.factories import AgentFactory, ChunkFactory, DocumentFactory, EndpointFactory
from tests.model_server.process import ModelServer


@pytest.fixture(scope="module", autouse=True)
def _reachable(model_server_process: ModelServer) -> Iterator[None]:
    """The web server may reach the stub."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EGRESS_ALLOW", model_server_process.host_and_port)
        yield


class Program:
    """A tenant's program that was written for OpenAI."""

    def __init__(self, server: str, tenant: Any, key: str, agent: Any) -> None:
        self.server, self.tenant, self.agent = server, tenant, agent
        self.headers = {"Host": f"{tenant.slug}.localhost"}
        self.openai = self.client(key)

    def client(self, key: str, **more: Any) -> OpenAI:
        return OpenAI(base_url=f"{self.server}/v1", api_key=key, default_headers=self.headers, **more)

    def ask(self, *said: str, **how: Any) -> Any:
        """Messages of user and assistant in turn, the last one the user's."""
        roles = ("user", "assistant")
        first = 0 if len(said) % 2 else 1
        messages = [{"role": roles[(n + first) % 2], "content": text} for n, text in enumerate(said)]
        return self.openai.chat.completions.create(**{"model": self.agent.slug, "messages": messages, **how})

    def read(self, query: Callable[[], Any]) -> Any:
        with use_tenant(self.tenant):
            return query()


@pytest.fixture
def program_for(
    live_tenants: None, web_server: str, model_server: ModelServer, api_key_for: Callable[..., str]
) -> Callable[..., Program]:
    def make(tenant: Any, **release: Any) -> Program:
        with use_tenant(tenant):
            endpoint = EndpointFactory.create(base_url=model_server.url)
            agent = AgentFactory.create(**{"live__endpoint": endpoint, "live__model": "stub", **release})
        return Program(web_server, tenant, api_key_for(tenant), agent)

    return make


@pytest.fixture
def program(program_for: Callable[..., Program], harbour: Any) -> Program:
    return program_for(harbour)


def test_an_answer_in_one_piece(program: Program) -> None:
    answer = program.ask("!say Breakfast is at seven.")
    [choice] = answer.choices
    assert answer.object == "chat.completion"
    assert answer.model == program.agent.slug
    assert (choice.message.role, choice.message.content) == ("assistant", "Breakfast is at seven.")
    assert choice.finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0
    assert answer.model_extra["citations"] == []
    conversation = program.read(lambda: Conversation.objects.get(pk=answer.model_extra["conversation_id"]))
    assert conversation.title == "!say Breakfast is at seven."


def test_an_answer_as_it_comes(program: Program) -> None:
    chunks = list(program.ask("!stub-20x20", stream=True, stream_options={"include_usage": True}))
    assert {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[0].choices[0].delta.role == "assistant"
    words = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert len("".join(words).split()) == 20
    assert len([word for word in words if word]) > 3
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == 20
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_the_bytes_of_a_stream_are_as_openai_writes_them(program: Program) -> None:
    body = {"model": program.agent.slug, "messages": [{"role": "user", "content": "!say One two"}], "stream": True}
    headers = {**program.headers, "Authorization": f"Bearer {program.openai.api_key}"}
    response = httpx2.post(f"{program.server}/v1/chat/completions", json=body, headers=headers)
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert uuid.UUID(response.headers["x-conversation-id"])
    blocks = [block for block in response.text.split("\n\n") if block and not block.startswith(":")]
    assert all(block.startswith("data: ") and "\n" not in block for block in blocks)
    assert blocks[-1] == "data: [DONE]"
    last = json.loads(blocks[-2].removeprefix("data: "))
    assert last["choices"] == [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}]
    assert "usage" not in last


def test_sources_come_in_an_extension(program_for: Callable[..., Program], harbour: Any) -> None:
    with use_tenant(harbour):
        document = DocumentFactory.create(title="House rules")
        ChunkFactory.create(document=document, text="Breakfast is served from 7 to 11.")
    program = program_for(harbour, live__collection_ids=[document.collection_id])
    whole = program.ask("!say From seven [1].")
    assert [cited["title"] for cited in whole.model_extra["citations"]] == ["House rules"]
    chunks = list(program.ask("!say From seven [1].", stream=True))
    assert chunks[-1].model_extra["citations"][0]["url"].startswith("/documents/")


def test_an_answer_that_was_cut_says_so(program_for: Callable[..., Program], harbour: Any) -> None:
    program = program_for(harbour, live__llm={"max_tokens": 20})
    assert program.ask("!stub-20x0").choices[0].finish_reason == "length"
    assert program.ask("!stub-19x0").choices[0].finish_reason == "stop"


def test_what_was_said_before_is_known(program: Program, model_server: ModelServer) -> None:
    program.ask("Good morning", "Good morning!", "!stub-3x0")
    sent = [
        (message["role"], message["content"])
        for message in model_server.requests()["requests"][-1]["messages"]
        if message["role"] != "system"
    ]
    assert sent == [("user", "Good morning"), ("assistant", "Good morning!"), ("user", "!stub-3x0")]


def test_a_talk_that_goes_on_is_one_conversation(program: Program) -> None:
    first = program.ask("!say One").choices[0].message.content
    second = program.ask("!say One", first, "!say Two").choices[0].message.content
    third = program.ask("!say One", first, "!say Two", second, "!say Three")
    assert third.choices[0].message.content == "Three"
    rows = program.read(lambda: list(Message.objects.order_by("turn_id", "id").values_list("text", flat=True)))
    assert rows == ["!say One", "One", "!say Two", "Two", "!say Three", "Three"]
    assert program.read(Conversation.objects.count) == 1


def test_an_answer_asked_for_anew_is_another_talk(program: Program, model_server: ModelServer) -> None:
    first = program.ask("!say One").choices[0].message.content
    for _ in range(2):
        program.ask("!say One", first, "!say Two")
        sent = model_server.requests()["requests"][-1]["messages"]
        assert [message["content"] for message in sent if message["role"] != "system"] == [
            "!say One",
            "One",
            "!say Two",
        ]
    assert program.read(Conversation.objects.count) == 2


def test_a_conversation_is_gone_on_with_by_name(program: Program, agency: Any, program_for: Any) -> None:
    begun = program.ask("!say One").model_extra["conversation_id"]
    again = program.ask("!say Two", extra_headers={"X-Conversation-Id": begun})
    by_metadata = program.ask("!say Three", metadata={"conversation_id": begun})
    assert again.model_extra["conversation_id"] == by_metadata.model_extra["conversation_id"] == begun
    assert program.read(Turn.objects.count) == 3
    foreign = program_for(agency).ask("!say One").model_extra["conversation_id"]
    for unknown in (foreign, str(uuid.uuid4()), "no-id"):
        with pytest.raises(openai.BadRequestError):
            program.ask("Hello", extra_headers={"X-Conversation-Id": unknown})


def test_two_callers_never_share_a_talk(program: Program, harbour: Any, api_key_for: Callable[..., str]) -> None:
    answer = program.ask("!say One").choices[0].message.content
    other = Program(program.server, harbour, api_key_for(harbour, "another"), program.agent)
    other.ask("!say One", answer, "!say Two")
    program.ask("!say One", answer, "!say Two", user="kim")
    assert program.read(Conversation.objects.count) == 3


def test_a_repeated_key_asks_once(program: Program) -> None:
    headers = {"Idempotency-Key": "once"}
    answers = [program.ask("Good", "Morning", "!say One", extra_headers=headers) for _ in range(2)]
    assert {answer.choices[0].message.content for answer in answers} == {"One"}
    assert len({answer.id for answer in answers}) == 1
    assert program.read(Conversation.objects.count) == 1


def test_the_models_are_the_agents_that_are_live(program: Program, harbour: Any, agency: Any, program_for: Any) -> None:
    program_for(agency, slug="agency-agent")
    with use_tenant(harbour):
        AgentFactory.create(slug="not-live", live=False)
    assert [model.id for model in program.openai.models.list()] == [program.agent.slug]
    assert program.openai.models.retrieve(program.agent.slug).owned_by == harbour.name
    for unknown in ("not-live", "agency-agent", "gpt-4o", "a b"):
        with pytest.raises(openai.NotFoundError) as caught:
            program.openai.models.retrieve(unknown)
        assert caught.value.code == "model_not_found"
        with pytest.raises(openai.NotFoundError):
            program.ask("Hello", model=unknown)


CACHED = {"enabled": True, "similarity": 1}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


@pytest.mark.parametrize(
    ("how", "code", "param"),
    [
        ({"n": 2}, "n_not_supported", "n"),
        ({"logprobs": True}, "logprobs_not_supported", "logprobs"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools_not_supported", "tools"),
        ({"tool_choice": "required"}, "tools_not_supported", "tool_choice"),
        ({"stop": ["x"]}, "stop_not_supported", "stop"),
        ({"response_format": {"type": "json_object"}}, "response_format_not_supported", "response_format"),
        ({"modalities": ["text", "audio"]}, "modality_not_supported", "modalities"),
        ({"messages": [{"role": "user", "content": [IMAGE]}]}, "images_not_supported", "messages.0.content"),
        ({"messages": [{"role": "assistant", "content": "Hi"}]}, "last_message_not_user", "messages"),
        ({"messages": [{"role": "user", "content": " "}]}, "blank_text", "messages"),
        ({"messages": []}, "invalid", "messages"),
        ({"messages": [{"role": "clown", "content": "Hi"}]}, "invalid", "messages.0.role"),
    ],
)
def test_what_cant_be_had_is_refused_in_openais_shape(
    program: Program, how: dict[str, Any], code: str, param: str
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        program.ask("Hello", **how)
    assert (caught.value.code, caught.value.param, caught.value.type) == (code, param, "invalid_request_error")
    assert program.read(Turn.objects.count) == 0


def test_what_chat_pages_always_send_is_taken(program: Program) -> None:
    parts = [{"type": "text", "text": "!say"}, {"type": "text", "text": "ignored"}]
    messages = [{"role": "system", "content": "You are a pirate."}, {"role": "user", "content": parts}]
    answer = program.ask(
        messages=messages, temperature=0.7, max_tokens=50, top_p=1, tools=[], seed=1, user="kim", presence_penalty=0
    )
    assert answer.choices[0].finish_reason == "stop"
    assert program.read(lambda: Conversation.objects.get().contact) == "kim"


def test_who_is_not_known_is_told_in_openais_shape(program: Program, agency: Any, api_key_for: Any) -> None:
    for key in ("sk-wrong", api_key_for(agency)):
        with pytest.raises((openai.AuthenticationError, openai.PermissionDeniedError)) as caught:
            program.client(key, max_retries=0).models.list()
        assert caught.value.type in ("authentication_error", "permission_error")
    with pytest.raises(openai.NotFoundError):
        program.openai.get("/completions", cast_to=object)


def test_a_contact_with_a_token_talks_as_themselves(program: Program) -> None:
    from tenants.tokens.domain.minting import mint_token

    ada = program.client(program.read(lambda: mint_token(contact="ada").token), max_retries=0)
    ask = {"model": program.agent.slug, "messages": [{"role": "user", "content": "!say Hello"}]}
    begun = ada.chat.completions.create(**ask).model_extra["conversation_id"]
    assert program.read(lambda: Conversation.objects.get(pk=begun).contact) == "ada"
    with pytest.raises(openai.PermissionDeniedError):
        ada.chat.completions.create(**ask, user="eve")
    eve = program.client(program.read(lambda: mint_token(contact="eve").token), max_retries=0)
    with pytest.raises(openai.NotFoundError):
        eve.chat.completions.create(**ask, extra_headers={"X-Conversation-Id": begun})


@pytest.mark.parametrize("streams", [False, True])
def test_a_model_that_fails_is_an_error_and_is_asked_once(program: Program, streams: bool) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        list(program.ask("!wrong-key", stream=streams))
    assert (caught.value.status_code, caught.value.code, caught.value.type) == (502, "model_refused", "server_error")
    assert program.read(Turn.objects.count) == 1


def test_a_stream_that_breaks_off_ends_with_an_error(program: Program) -> None:
    heard = []
    with pytest.raises(openai.APIError):
        heard.extend(program.ask("!half-stream", stream=True))
    assert heard


def test_who_leaves_leaves_the_turn_to_finish(program: Program) -> None:
    stream = program.ask("!stub-30x30", stream=True)
    next(iter(stream))
    stream.close()
    deadline = time.monotonic() + 15
    while program.read(lambda: Turn.objects.get().status) != "done":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert len(program.read(lambda: Message.objects.get(role="agent").text).split()) == 30


def test_a_page_of_an_allowed_origin_may_ask(program: Program) -> None:
    from tests.factories import OriginFactory

    program.read(lambda: OriginFactory.create(origin="https://chat.example.com"))
    headers = {**program.headers, "Origin": "https://chat.example.com", "Access-Control-Request-Method": "POST"}
    response = httpx2.options(f"{program.server}/v1/chat/completions", headers=headers)
    assert response.headers["access-control-allow-origin"] == "https://chat.example.com"


def test_an_answer_from_the_cache_asks_no_model(program_for: Callable[..., Program], harbour: Any) -> None:
    with use_tenant(harbour):
        document = DocumentFactory.create(title="House rules")
        ChunkFactory.create(document=document, text="Breakfast is served from 7 to 11.")
    program = program_for(harbour, live__collection_ids=[document.collection_id], live__runtime={"cache": CACHED})
    first, again = program.ask("!say From seven [1]."), program.ask("!SAY from  seven [1]")
    assert again.choices[0].message.content == first.choices[0].message.content
    assert [cited["quote"] for cited in again.model_extra["citations"]] == [
        cited["quote"] for cited in first.model_extra["citations"]
    ]
    assert (first.usage.total_tokens > 0, again.usage.total_tokens) == (True, 0)
    program.read(document.delete)
    assert program.ask("!say From seven [1].").usage.total_tokens > 0


def test_a_guard_s_refusal_says_so(program_for: Callable[..., Program], harbour: Any) -> None:
    program = program_for(harbour, live__runtime={"safety": {"blocked_topics": ["politics"]}})
    for streams in (False, True):
        answer = program.ask("What of politics?", stream=streams)
        last = list(answer)[-1] if streams else answer
        assert last.choices[0].finish_reason == "content_filter"
