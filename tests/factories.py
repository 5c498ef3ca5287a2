"""Rows made quickly, in the scope in force. How they come about otherwise has its own tests."""

from __future__ import annotations

import hashlib
import math
from typing import Any, TypeVar

import factory
from django.contrib.auth.hashers import make_password
from django.core.files.base import ContentFile
from django.utils import timezone

from agents.domain.components import create_component, publish
from agents.domain.composition import Parts
from agents.domain.releases import go_live, make_release
from agents.domain.test_cases import create_test_case
from agents.domain.test_runs import snapshot_of
from agents.models import (
    Agent,
    Component,
    ModelEndpoint,
    Personality,
    Prompt,
    Release,
    RuntimeConfig,
    TestCase,
    TestResult,
    TestRun,
    Tool,
    ToolCredential,
)
from billing.models import UsageEvent
from conversations.models import Conversation, Message, Turn
from knowledge.models import DIMENSIONS, Chunk, Collection, Document
from tenants.flags.models import Flag
from tenants.origins.models import AllowedOrigin
from tenants.staff.models import Role, User
from tenants.tokens.models import TokenIssuer
from tenants.vault.models import Secret

PASSWORD = "a quiet harbour"
C = TypeVar("C", bound=Component)


def vector_of(text: str) -> list[float]:
    """A vector of length 1 that follows from the text: equal texts are near, others are not."""
    seed = b"".join(hashlib.sha512(f"{number}:{text}".encode()).digest() for number in range(DIMENSIONS // 64))
    values = [byte - 127.5 for byte in seed]
    length = math.sqrt(sum(value * value for value in values))
    return [value / length for value in values]


class UserFactory(factory.django.DjangoModelFactory[User]):
    class Meta:
        model = User

    username = factory.Sequence(lambda n: f"staff{n}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@example.com")
    password = factory.LazyFunction(lambda: make_password(PASSWORD))
    is_staff = True
    role = Role.OWNER


class FlagFactory(factory.django.DjangoModelFactory[Flag]):
    """A flag without rules, which is off."""

    class Meta:
        model = Flag

    key = factory.Sequence(lambda n: f"feature_{n}")


class CollectionFactory(factory.django.DjangoModelFactory[Collection]):
    class Meta:
        model = Collection

    name = factory.Sequence(lambda n: f"House rules {n}")
    slug = factory.Sequence(lambda n: f"house-rules-{n}")


class DocumentFactory(factory.django.DjangoModelFactory[Document]):
    """A document that is ready, unless `status` says otherwise, with its file in place."""

    class Meta:
        model = Document

    class Params:
        content = factory.Sequence(lambda n: f"Breakfast {n} is served from 7 to 11.".encode())

    collection = factory.SubFactory(CollectionFactory)
    title = factory.Sequence(lambda n: f"Breakfast {n}")
    filename = factory.Sequence(lambda n: f"breakfast-{n}.txt")
    media_type = "text/plain"
    size = factory.LazyAttribute(lambda document: len(document.content))
    sha256 = factory.LazyAttribute(lambda document: hashlib.sha256(document.content).hexdigest())
    status = Document.Status.READY
    progress = 100
    pages = 1
    file = factory.LazyAttribute(lambda document: ContentFile(document.content, name=document.filename))


class ChunkFactory(factory.django.DjangoModelFactory[Chunk]):
    class Meta:
        model = Chunk

    document = factory.SubFactory(DocumentFactory)
    collection = factory.SelfAttribute("document.collection")
    ordinal = factory.Sequence(lambda n: n)
    page = 1
    start = 0
    end = factory.LazyAttribute(lambda chunk: len(chunk.text))
    text = factory.Sequence(lambda n: f"Passage {n}: breakfast is served from 7 to 11.")
    embedding = factory.LazyAttribute(lambda chunk: vector_of(chunk.text))


class EndpointFactory(factory.django.DjangoModelFactory[ModelEndpoint]):
    class Meta:
        model = ModelEndpoint

    name = factory.Sequence(lambda n: f"Endpoint {n}")
    base_url = "https://models.example.com/v1"
    api_key = "sk-very-secret"


class ComponentFactory(factory.django.DjangoModelFactory[C]):
    """An entry of a registry with one published version, unless `published=False`.

    `content` is the draft; what publishing refuses is refused here too.
    """

    class Meta:
        abstract = True
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Entry {n}")
    slug = factory.Sequence(lambda n: f"entry-{n}")
    content: Any = factory.Dict({})

    @classmethod
    def _create(cls, model_class: type[C], *args: Any, **fields: Any) -> C:
        published = fields.pop("published", True)
        row = create_component(model_class, **fields)
        if published:
            publish(component=row)
            row.refresh_from_db()
        return row


class PromptFactory(ComponentFactory[Prompt]):
    class Meta:
        model = Prompt

    content = factory.Dict({"template": "Answer the guests of the harbour hotel."})


class ToolFactory(ComponentFactory[Tool]):
    class Meta:
        model = Tool

    content = factory.Dict({"kind": "knowledge", "description": "Looks things up in the house rules."})


class PersonalityFactory(ComponentFactory[Personality]):
    class Meta:
        model = Personality

    content = factory.Dict({"instructions": "You are calm and brief."})


class RuntimeConfigFactory(ComponentFactory[RuntimeConfig]):
    class Meta:
        model = RuntimeConfig

    content = factory.Dict({"welcome_message": "Welcome to the harbour."})


class AgentFactory(ComponentFactory[Agent]):
    """An agent with a live release on the local model.

    `live=False` leaves it without one; `live__prompt="…"` and the like are arguments of `ReleaseFactory`.
    """

    class Meta:
        model = Agent
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Concierge {n}")
    slug = factory.Sequence(lambda n: f"concierge-{n}")

    @factory.post_generation
    def live(self: Agent, create: bool, extracted: bool | None, **release: Any) -> None:
        if create and extracted is not False:
            go_live(release=ReleaseFactory.create(agent=self, **release))
            self.refresh_from_db()


class ReleaseFactory(factory.django.DjangoModelFactory[Release]):
    """A release in preview, with a prompt and a runtime config of its own unless `parts` says otherwise.

    Args:
        prompt: the text of its prompt.
        endpoint: a `ModelEndpoint`; None for the local model.
        runtime: what else its runtime config holds.
    """

    class Meta:
        model = Release

    agent = factory.SubFactory(AgentFactory, live=False)
    prompt = "Answer the guests of the harbour hotel."
    endpoint: Any = None
    llm = factory.Dict({})
    runtime: Any = factory.Dict({})
    welcome = "Welcome to the harbour."
    collection_ids: Any = ()
    parts: Any = None
    message = ""
    judge: Any = None
    test_case_ids: Any = None

    @classmethod
    def _create(cls, model_class: type[Release], *args: Any, **fields: Any) -> Release:
        parts = fields["parts"]
        if parts is None:
            endpoint, llm = fields["endpoint"], {**fields["llm"]}
            if "model" in fields:
                llm["model"] = fields["model"]
            if endpoint is not None:
                llm["endpoint"] = endpoint.name
            content = {"llm": llm, "welcome_message": fields["welcome"], "judge": fields["judge"], **fields["runtime"]}
            runtime = RuntimeConfigFactory.create(content=content)
            prompt = PromptFactory.create(content={"template": fields["prompt"]})
            parts = Parts(
                prompt=prompt.versions.get().pk,
                runtime_config=runtime.versions.get().pk,
                collections=tuple(fields["collection_ids"]),
            )
        return make_release(
            agent=fields["agent"], parts=parts, message=fields["message"], test_case_ids=fields["test_case_ids"]
        )


class TestCaseFactory(factory.django.DjangoModelFactory[TestCase]):
    """A test case that the local model, without documents, fails: it says that it has none."""

    __test__ = False

    class Meta:
        model = TestCase

    agent = factory.SubFactory(AgentFactory, live=False)
    name = factory.Sequence(lambda n: f"Breakfast {n}")
    turns: Any = ({"say": "When is breakfast?", "expect": [{"kind": "contains", "text": "from 7 to 11"}]},)

    @classmethod
    def _create(cls, model_class: type[TestCase], *args: Any, **fields: Any) -> TestCase:
        return create_test_case(**fields)


class TestRunFactory(factory.django.DjangoModelFactory[TestRun]):
    """A run that has ended, with a result for each of the release's cases, all of them of one status.

    Args:
        results: statuses by case, where they aren't all the same.
    """

    __test__ = False

    class Meta:
        model = TestRun

    release = factory.SubFactory(ReleaseFactory)
    status = TestRun.Status.PASSED

    @classmethod
    def _create(cls, model_class: type[TestRun], *args: Any, **fields: Any) -> TestRun:
        results = fields.pop("results", None)
        release, status = fields["release"], fields["status"]
        if results is None:
            ids = release.test_case_ids
            results = dict.fromkeys(ids, TestResult.Status(status if status in TestResult.Status.values else "passed"))
        count = list(results.values()).count
        counts = {
            "passed": count("passed"),
            "failed": count("failed"),
            "errors": count("error"),
            "skipped": count("skipped"),
        }
        ended = None if status in TestRun.OPEN else timezone.now()
        run = TestRun.objects.create(**{"total": len(results), "finished_at": ended, **counts, **fields})
        for position, (case_id, result) in enumerate(results.items()):
            case = TestCase.objects.get(pk=case_id)
            TestResult.objects.create(
                run=run, case_id=case_id, position=position, snapshot=snapshot_of(case), status=result
            )
        return run


class ConversationFactory(factory.django.DjangoModelFactory[Conversation]):
    class Meta:
        model = Conversation

    agent = factory.SubFactory(AgentFactory)


class TurnFactory(factory.django.DjangoModelFactory[Turn]):
    class Meta:
        model = Turn

    conversation = factory.SubFactory(ConversationFactory)


class MessageFactory(factory.django.DjangoModelFactory[Message]):
    class Meta:
        model = Message

    turn = factory.SubFactory(TurnFactory)
    conversation = factory.SelfAttribute("turn.conversation")
    role = Message.Role.CONTACT
    text = "When is breakfast?"


class IssuerFactory(factory.django.DjangoModelFactory[TokenIssuer]):
    class Meta:
        model = TokenIssuer

    name = factory.Sequence(lambda n: f"Pool {n}")
    issuer = factory.Sequence(lambda n: f"https://issuer{n}.example.com")
    jwks_url = factory.LazyAttribute(lambda row: f"{row.issuer}/.well-known/jwks.json")
    audience = "the-app"


class OriginFactory(factory.django.DjangoModelFactory[AllowedOrigin]):
    class Meta:
        model = AllowedOrigin

    origin = factory.Sequence(lambda n: f"https://www{n}.example.com")


class SecretFactory(factory.django.DjangoModelFactory[Secret]):
    class Meta:
        model = Secret

    name = factory.Sequence(lambda n: f"weather-key-{n}")
    value = "very-secret-value"


class UsageFactory(factory.django.DjangoModelFactory[UsageEvent]):
    class Meta:
        model = UsageEvent

    idempotency_key = factory.Sequence(lambda n: f"use-{n}")
    service = UsageEvent.Service.LLM
    provider = "local"
    model = "local"
    input_tokens = 100
    output_tokens = 50


class ToolCredentialFactory(factory.django.DjangoModelFactory[ToolCredential]):
    class Meta:
        model = ToolCredential

    tool = factory.SubFactory(ToolFactory)
    contact = factory.Sequence(lambda n: f"contact-{n}")
    value = "a-token-of-theirs"
