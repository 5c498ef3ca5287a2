"""Whatever a tenant has been through: its document describes it, and makes another tenant of it."""

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from agents.configuration.plan import Action
from agents.domain.components import create_component, delete_component, describe_component, publish, save_draft
from agents.domain.composition import Parts
from agents.domain.releases import end_canary, go_live, make_release, roll_back, start_canary
from agents.domain.test_cases import create_test_case
from agents.models import Agent, Personality, Prompt, Release, RuntimeConfig, Tool
from knowledge.domain.collection import create_collection
from switchboard.kernel.problems import Problem
from tenants.context import use_tenant
from tenants.flags.domain.flags import create_flag
from tests.agents.configuration.documents import apply, exported, planned

KINDS = {"prompt": Prompt, "personality": Personality, "tool": Tool, "runtime": RuntimeConfig}
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0{}"), min_size=1, max_size=40)
SLOTS = st.integers(0, 2)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.sampled_from(sorted(KINDS)), SLOTS, WORDS, st.booleans()),
        st.tuples(st.just("agent"), SLOTS, st.booleans(), WORDS),
        st.tuples(st.just("release"), SLOTS, SLOTS, st.integers(0, 31), WORDS),
        st.tuples(st.just("live"), SLOTS, st.integers(0, 5)),
        st.tuples(st.just("serve"), SLOTS, SLOTS, st.integers(0, 31), WORDS, st.sampled_from(["live", "canary", ""])),
        st.tuples(st.just("serve"), st.just(2), SLOTS, st.sampled_from([2, 31]), WORDS, st.just("live")),
        st.tuples(st.just("roll back"), SLOTS, st.integers(0, 5)),
        st.tuples(st.just("canary"), SLOTS, st.integers(0, 5), st.integers(0, 100), st.sampled_from(["", "new.menu"])),
        st.tuples(st.just("end canary"), SLOTS),
        st.tuples(st.just("rename"), st.sampled_from(["prompt", "agent"]), SLOTS, WORDS),
        st.tuples(st.just("delete"), st.sampled_from([*sorted(KINDS), "agent"]), SLOTS),
        st.tuples(st.just("flag"), SLOTS, WORDS, st.booleans()),
        st.tuples(st.just("collection"), SLOTS, WORDS),
        st.tuples(st.just("case"), SLOTS, WORDS, st.booleans()),
    ),
    max_size=30,
)


# So that most steps find what they need.
BEGINNING = [
    *[("write", kind, slot, "Once", True) for kind in KINDS for slot in range(3)],
    *[("agent", slot, slot == 2, "Once") for slot in range(3)],
    *[("collection", slot, "Books") for slot in range(3)],
    ("release", 0, 0, 29, "once"),
    ("live", 0, 0),
    ("release", 2, 0, 2, "once"),
    ("live", 2, 0),
]


def take(step):
    """One thing that people do in the admin; what is refused is left."""
    try:
        with transaction.atomic():
            globals()[f"_{step[0].replace(' ', '_')}"](*step[1:])
    except Problem:
        pass


def _write(kind, slot, text, published):
    contents = {
        "prompt": {"template": text, "variables": [{"name": "hotel", "required": False, "default": text}]},
        "personality": {"instructions": text, "languages": ["de"] if published else []},
        "tool": {"kind": "knowledge", "description": text, "input_schema": {"type": "object", "title": text, "b": 1.5}},
        "runtime": {
            "welcome_message": text,
            "tts": {"voice": text.strip()[:500]},
            "languages": ["en"] if published else [],
        },
    }
    row = _put(KINDS[kind], slot, contents[kind], text)
    if published:
        publish(component=row)


def _put(kind, slot, content, name):
    row = kind.objects.filter(slug=f"entry-{slot}").first()
    if row is None:
        return create_component(kind, name=name, slug=f"entry-{slot}", content=content, tags=[name])
    return save_draft(component=row, content=content)


def _agent(slot, is_supervisor, text):
    content = {"kind": "supervisor" if is_supervisor else "domain", "description": text}
    publish(component=_put(Agent, slot, content, text))


def _release(slot, other, bits, text):
    def newest(kind, wanted):
        row = kind.objects.filter(slug=f"entry-{other}").first()
        return row.versions.first().pk if wanted and row and row.latest_version else None

    tool = newest(Tool, bits & 1)
    sub = Release.objects.filter(agent__slug=f"entry-{other}").first() if bits & 2 else None
    collection = create_or_none(other) if bits & 4 else None
    make_release(
        agent=Agent.objects.get(slug=f"entry-{slot}") if Agent.objects.filter(slug=f"entry-{slot}") else _nobody(),
        parts=Parts(
            prompt=newest(Prompt, True) or _nobody(),
            personality=newest(Personality, bits & 8),
            runtime_config=newest(RuntimeConfig, bits & 16),
            tools=(tool,) if tool else (),
            sub_releases=(sub.pk,) if sub else (),
            collections=(collection.pk,) if collection else (),
            variables={"hotel": text} if bits & 1 else {},
        ),
    )


def create_or_none(slot):
    from knowledge.models import Collection

    return Collection.objects.filter(slug=f"books-{slot}").first()


def _nobody():
    raise Problem("nobody", "There is nothing to do it with.")


def _one(slot, number):
    return Release.objects.filter(agent__slug=f"entry-{slot}", number=number + 1).first() or _nobody()


def _serve(slot, other, bits, text, how):
    _write("prompt", other, text, True)
    _release(slot, other, bits, text)
    release = Release.objects.filter(agent__slug=f"entry-{slot}").first()
    if how == "live":
        go_live(release=release)
    elif how == "canary":
        start_canary(release=release, percent=bits)


def _live(slot, number):
    go_live(release=_one(slot, number))


def _roll_back(slot, number):
    roll_back(to=_one(slot, number))


def _canary(slot, number, percent, flag):
    start_canary(release=_one(slot, number), percent=percent, flag=flag)


def _end_canary(slot):
    end_canary(agent=Agent.objects.filter(slug=f"entry-{slot}").first() or _nobody())


def _rename(kind, slot, name):
    row = (Agent if kind == "agent" else Prompt).objects.filter(slug=f"entry-{slot}").first() or _nobody()
    describe_component(component=row, name=name, tags=[])


def _delete(kind, slot):
    delete_component(
        component={**KINDS, "agent": Agent}[kind].objects.filter(slug=f"entry-{slot}").first() or _nobody()
    )


def _flag(slot, text, default):
    create_flag(
        key=f"flag.{slot}", description=text, default=default, rules=[{"description": text.strip(), "percentage": 12.5}]
    )


def _case(slot, text, enabled):
    agent = Agent.objects.filter(slug=f"entry-{slot}").first() or _nobody()
    expected = {"kind": "calls_tool", "tool": text, "arguments": {text: [text]}}
    create_test_case(agent=agent, name=text, enabled=enabled, tags=[text], turns=[{"say": text, "expect": [expected]}])


def _collection(slot, text):
    create_collection(name=text, slug=f"books-{slot}", description=text)


@pytest.fixture
def begun(harbour):
    """A tenant that has been through the beginning."""
    with use_tenant(harbour):
        for step in BEGINNING:
            take(step)
    return harbour


# An example costs half a second, so a failing one is told as it was found: making it smaller would take minutes.
@given(STEPS)
@example([("serve", 0, 0, 29, "New", "live"), ("canary", 0, 0, 10, "")])  # what a supervisor is made of is tried again
@example(  # a part is deleted, and serves again
    [
        ("serve", 0, 1, 29, "New", "live"),
        ("serve", 0, 0, 29, "Newer", "live"),
        ("delete", "runtime", 1),
        ("roll back", 0, 1),
    ]
)
@settings(
    max_examples=15,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_a_document_makes_another_tenant_the_same(begun, agency, steps):
    with transaction.atomic():
        with use_tenant(begun):
            for step in steps:
                take(step)
            text = exported()
            assert exported() == text
            # What was deleted and serves again since is in the document, which would restore it. Nothing else differs.
            assert {step.action for step in planned(text).steps} <= {Action.KEEP, Action.RESTORE}
        with use_tenant(agency):
            plan = planned(text)
            assert apply(text, dry_run=True) == plan
            assert apply(text) == plan
            assert exported() == text
            assert apply(text).is_met
        transaction.set_rollback(True)
