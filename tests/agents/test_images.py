"""What a contact shows goes to a model in its own protocol, each picture after its label; or it is told of it."""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from agents.content.runtime import ModelChoice
from agents.engine import families
from agents.engine.gateway import ChatMessage, length_of, sight, stream_chat
from agents.engine.images import LabelledImage, image_tokens
from agents.releases import Endpoint
from tenants.context import Scope, use_tenant
from tests.agents.listening import QUICK, Heard, allowing, hear_all, knowing
from tests.model_server.pictures import Picture, pictures_in
from tests.model_server.process import ModelServer

ALL_FAMILIES = ["anthropic", "google", "groq", "openai", "openai_compatible"]


def shown(label: str, colour: str = "red", width: int = 32, height: int = 18) -> LabelledImage:
    """A picture of one colour."""
    kept = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(kept, "JPEG")
    return LabelledImage(label, kept.getvalue(), width, height)


IMAGES = (shown("Screen share, frame 1 of 2, 9 s ago (first)"), shown("Screen share, frame 2 of 2, now", "blue"))


@pytest.fixture(autouse=True)
def _tenant(settings: Any, model_server: ModelServer) -> Iterator[None]:
    for family in families.FAMILIES:
        families._load(family)
    sight.forget()
    with allowing(model_server.host_and_port, settings):
        yield
    sight.forget()


@pytest.fixture
def model(model_server: ModelServer) -> Any:
    """A choice of a behaviour at a family's endpoint."""

    def choose(family: str, behaviour: str) -> ModelChoice:
        base = model_server.url.removesuffix("/v1") if family in families.FAMILIES else model_server.url
        return knowing(Endpoint(f"{family} {behaviour}", base, "sk-test", family), behaviour)

    return choose


async def ask(*chain: ModelChoice, question: str = "What is this?", failing: bool = False, **more: Any) -> Heard:
    messages = [
        ChatMessage("system", "Be brief."),
        ChatMessage("user", "Good morning"),
        ChatMessage("assistant", "Good morning!"),
        ChatMessage("user", question, images=IMAGES),
    ]
    told = {"chain": chain, "messages": messages, "deadlines": QUICK, **more}
    return await hear_all(stream_chat(**told), failing=failing)


@pytest.mark.parametrize("family", ALL_FAMILIES)
async def test_each_picture_arrives_after_its_label_and_before_the_question(
    model: Any, model_server: ModelServer, family: str
) -> None:
    heard = await ask(model(family, "sees"))

    assert heard.text == "\n".join(f"{number}. {image.label}" for number, image in enumerate(IMAGES, start=1))
    (request,) = model_server.requests()["requests"]
    assert pictures_in(request) == [Picture(image.label, "image/jpeg", image.jpeg) for image in IMAGES]
    last = (request.get("messages") or request["contents"])[-1]
    parts = last.get("content") or last["parts"]
    assert last["role"] == "user"
    assert parts[-1]["text"] == "What is this?"
    assert len(parts) == 5


@pytest.mark.parametrize("family", ALL_FAMILIES)
async def test_a_model_that_refuses_pictures_is_asked_again_without(
    model: Any, model_server: ModelServer, family: str
) -> None:
    heard = await ask(model(family, "blind"))

    assert "2 pictures" in heard.text
    assert "can't see" in heard.text
    assert heard.text.endswith("What is this?")
    assert [used.service for used in heard.usages] == ["llm"]
    refused, answered = model_server.requests()["requests"]
    assert len(pictures_in(refused)) == 2
    assert pictures_in(answered) == []


async def test_a_model_that_refused_them_is_not_shown_any_for_some_minutes(
    model: Any, model_server: ModelServer
) -> None:
    choice = model("openai_compatible", "blind")
    await ask(choice)
    await ask(choice)
    assert model_server.count("blind") == 3

    await ask(model("openai_compatible", "sees"))
    assert len(pictures_in(model_server.requests()["requests"][-1])) == 2


async def test_one_tenants_blind_model_is_no_other_tenants(model: Any, model_server: ModelServer) -> None:
    await ask(model("openai_compatible", "blind"))
    with use_tenant(Scope("t_others", uuid.uuid4())):
        await ask(model("openai_compatible", "blind"))

    # The other tenant's was shown them, as if nobody had known.
    assert [len(pictures_in(request)) for request in model_server.requests()["requests"]] == [2, 0, 2, 0]


@pytest.mark.parametrize("behaviour", ["fault-400", "fault-404"])
async def test_what_is_refused_without_pictures_too_is_no_matter_of_eyes(
    model: Any, model_server: ModelServer, behaviour: str
) -> None:
    choice = model("openai_compatible", behaviour)
    heard = await ask(choice, failing=True)

    assert heard.failure is not None
    assert heard.failure.status == int(behaviour.removeprefix("fault-"))
    assert model_server.count(behaviour) == 2
    await ask(choice, failing=True)
    assert len(pictures_in(model_server.requests()["requests"][2])) == 2


async def test_the_next_of_the_chain_is_shown_them_again(model: Any, model_server: ModelServer) -> None:
    heard = await ask(model("openai_compatible", "fault-400"), model("anthropic", "sees"))

    assert heard.text.startswith("1. Screen share")
    assert [len(pictures_in(request)) for request in model_server.requests()["requests"]] == [2, 0, 2]


@pytest.mark.parametrize(
    ("provider", "size", "tokens"),
    [
        ("anthropic", (1280, 720), 1229),
        ("anthropic", (512, 288), 197),
        ("google", (320, 180), 258),
        ("google", (1280, 720), 516),
        ("openai", (512, 288), 255),
        ("openai", (1280, 720), 1105),
        ("openai", (4096, 2304), 1105),
        ("", (512, 512), 255),
    ],
)
def test_pictures_count_as_their_provider_says(provider: str, size: tuple[int, int], tokens: int) -> None:
    image = LabelledImage("", b"", *size)

    assert image_tokens(image, provider) == tokens
    assert length_of([ChatMessage("user", "", images=(image,))], provider) == 4 * tokens


async def test_frames_are_metered_beside_the_tokens(model: Any) -> None:
    tokens, frames = (await ask(model("openai", "sees"))).usages

    assert (tokens.service, tokens.quantity) == ("llm", None)
    assert (frames.service, frames.provider, frames.model) == ("vision", "openai", "sees")
    assert (frames.quantity, frames.unit, frames.cost_usd) == (2, "frame", 0)
    assert frames.input_tokens == frames.output_tokens == 0


async def test_uncounted_pictures_are_estimated(model: Any) -> None:
    heard = await ask(model("openai", "no-usage"), question="!no-usage")
    used = heard.usages[0]

    assert used.is_estimated
    assert used.input_tokens > 2 * 255


def test_a_picture_is_never_in_a_log_line() -> None:
    assert "jpeg" not in repr(IMAGES[0])
    assert IMAGES[0].described() == {"label": IMAGES[0].label, "width": 32, "height": 18}
