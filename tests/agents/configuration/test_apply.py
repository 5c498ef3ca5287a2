"""What applying a document does to a tenant, and what it leaves alone."""

import threading
import time
from contextvars import copy_context

import pytest
from django.db import connection, transaction

from agents.configuration.reading import DocumentInvalid
from agents.domain.components import describe_component, publish, save_draft
from agents.domain.endpoints import create_endpoint
from agents.models import (
    Agent,
    ModelEndpoint,
    Personality,
    Prompt,
    PromptVersion,
    Release,
    RuntimeConfig,
    TestCase,
    Tool,
)
from tenants.audit.models import AuditEvent
from tenants.context import use_tenant
from tenants.flags.models import Flag
from tests.agents.configuration.documents import HOTEL, agent, apply, done, everything, exported, planned, refused
from tests.factories import EndpointFactory, FlagFactory, PromptFactory, ToolFactory

BRIEF = HOTEL.replace("kindly", "briefly")
pytestmark = pytest.mark.usefixtures("in_harbour")


def test_an_empty_tenant_becomes_what_the_document_says(in_harbour):
    before = everything(in_harbour.schema_name)
    plan = planned(HOTEL)
    assert everything(in_harbour.schema_name) == before
    assert apply(HOTEL, message="Opening") == plan
    marina, desk = agent(), agent("desk")
    snapshot = marina.live_release.snapshot
    assert snapshot["prompt"]["slug"] == "greeting"
    assert snapshot["personality"]["slug"] == "calm"  # the tenant's default, for it names none
    assert [tool["slug"] for tool in snapshot["tools"]] == ["rules"]
    assert [collection["slug"] for collection in snapshot["collections"]] == ["house-rules"]
    assert snapshot["variables"] == {"hotel": "Harbour"}
    assert desk.live_release.sub_release_ids == [marina.live_release_id]
    assert desk.live_release.snapshot["personality"] is None
    assert marina.live_release.test_case_ids == [TestCase.objects.get().pk]
    assert {row.message for row in (*PromptVersion.objects.all(), *Release.objects.all())} == {"Opening"}
    assert Flag.objects.get().rules == [{"conditions": [], "percentage": 25.0, "then": "on"}]


def test_applied_again_it_changes_nothing_at_all(opened):
    before = everything(opened.schema_name)
    assert planned(HOTEL).is_met
    assert apply(HOTEL).is_met
    assert everything(opened.schema_name) == before


def test_a_dry_run_does_it_all_and_leaves_nothing(opened):
    before = everything(opened.schema_name)
    plan = apply(BRIEF, dry_run=True)
    assert everything(opened.schema_name) == before
    assert apply(BRIEF) == plan
    assert everything(opened.schema_name) != before


def test_only_what_differs_gets_a_version_and_a_release(opened):
    assert done(apply(HOTEL.replace("Welcome!", "Hello!"))) == [
        "publish runtime_configs/quick",
        "release agents/marina",
        "go_live agents/marina",
        "release agents/desk",
        "go_live agents/desk",
    ]
    assert PromptVersion.objects.count() == 1
    assert agent().live_release.number == 2


def test_going_back_to_an_older_document_brings_back_what_it_says(opened):
    first = exported()
    apply(BRIEF.replace("[hotel]", "[hotel, new]").replace("The new menu", "Another"))
    assert exported() != first
    apply(first)
    assert exported() == first


def test_new_releases_may_be_left_as_previews(opened):
    live = agent().live_release_id
    assert done(apply(BRIEF, live=False)) == [
        "publish prompts/greeting",
        "release agents/marina",
        "release agents/desk",
    ]
    assert agent().live_release_id == live
    assert apply(BRIEF, live=False).is_met
    assert done(apply(BRIEF)) == ["go_live agents/marina", "go_live agents/desk"]
    assert agent().live_release.number == 2
    assert planned(BRIEF).is_met


def test_an_agent_that_asks_for_green_tests_gets_a_preview(opened):
    live = agent().live_release_id
    strict = BRIEF.replace("    name: Marina\n", "    name: Marina\n    require_tests: true\n")
    plan = apply(strict)
    assert [f"{step.action} {step.entry}: {step.detail}" for step in plan.steps][-4:] == [
        "release agents/marina: #2",
        "keep agents/marina: #2 as a preview: its tests have to be green first",
        "release agents/desk: #2",
        "keep agents/desk: #2 as a preview: it waits for marina",
    ]
    assert agent().live_release_id == live
    before = everything(opened.schema_name)
    again = apply(strict)
    assert done(again) == ["keep agents/marina", "keep agents/desk"]
    assert "haven't been run" in again.steps[0].detail
    assert not again.changes_something
    assert everything(opened.schema_name) == before
    apply(strict.replace("require_tests: true", "require_tests: false"))
    assert agent().live_release.number == 2


def test_a_draft_that_somebody_works_on_is_kept(opened):
    prompt = Prompt.objects.get()
    save_draft(component=prompt, content={"template": "Hers, unfinished {{"})
    plan = apply(BRIEF)
    assert "keep prompts/greeting" in done(plan)
    prompt.refresh_from_db()
    assert prompt.draft == {"template": "Hers, unfinished {{"}
    assert prompt.has_unpublished_changes
    assert "briefly" in prompt.versions.first().content["template"]
    assert "briefly" in agent().live_release.snapshot["prompt"]["content"]["template"]
    assert done(apply(BRIEF)) == ["keep prompts/greeting"]
    assert done(apply(BRIEF, overwrite_drafts=True)) == ["overwrite_draft prompts/greeting"]
    prompt.refresh_from_db()
    assert "briefly" in prompt.draft["template"]
    assert not prompt.has_unpublished_changes
    assert planned(BRIEF).is_met


def test_a_draft_that_says_the_same_is_published(opened):
    prompt = Prompt.objects.get()
    save_draft(
        component=prompt, content={**prompt.draft, "template": prompt.draft["template"].replace("kindly", "briefly")}
    )
    assert done(apply(BRIEF, "prompts")) == ["publish prompts/greeting"]
    prompt.refresh_from_db()
    assert not prompt.has_unpublished_changes


def test_nothing_is_deleted_unless_that_is_asked_for(opened):
    ToolFactory(slug="lookup")
    PromptFactory(slug="begun", published=False)
    FlagFactory(key="old.menu")
    less = HOTEL.replace("      Breakfast:", "      Lunch:")
    assert done(apply(less)) == ["create agents/marina"]
    assert done(apply(less, prune=True)) == [
        "delete agents/marina",
        "keep prompts/begun",
        "delete tools/lookup",
        "delete flags/old.menu",
    ]
    assert Tool.objects.get(slug="lookup").deleted_at is not None
    assert Prompt.objects.get(slug="begun").deleted_at is None
    assert [case.name for case in TestCase.objects.filter(deleted_at=None)] == ["Lunch"]
    assert "delete prompts/begun" in done(apply(less, prune=True, overwrite_drafts=True))
    before = everything(opened.schema_name)
    assert apply("switchboard: 1\n", prune=True).is_met  # no section, nothing to take from
    assert everything(opened.schema_name) == before


def test_what_serves_cant_be_pruned(opened):
    faults = {"prompts.greeting": "The release Marina #1"}
    with pytest.raises(DocumentInvalid) as caught:
        apply("switchboard: 1\nprompts: {}\n", prune=True)
    (error,) = caught.value.errors
    assert error["field"] in faults
    assert "is serving" in error["message"]


def test_what_was_deleted_comes_back(opened):
    apply("switchboard: 1\nagents: {}\nprompts: {}\nflags: {}\n", prune=True)
    assert not Agent.objects.filter(deleted_at=None).exists()
    plan = apply(HOTEL)
    assert done(plan) == [
        "restore flags/new.menu",
        "restore prompts/greeting",
        "restore agents/marina",
        "restore agents/desk",
    ]
    assert agent().is_serving
    assert planned(HOTEL).is_met


def test_a_choice_of_entries_is_applied_alone(opened):
    text = BRIEF.replace("Welcome!", "Hello!")
    assert done(apply(text, "agents/marina")) == []
    assert done(apply(text, "prompts/greeting")) == ["publish prompts/greeting"]
    assert done(apply(text, "agents/marina")) == ["release agents/marina", "go_live agents/marina"]
    assert RuntimeConfig.objects.get().latest_version == 1
    assert "There is no agents/nobody" in refused(text, "agents/nobody")[""]


def test_a_new_name_is_what_the_agent_calls_itself(opened):
    text = HOTEL.replace("name: Marina", "name: Marina the second")
    assert done(apply(text))[:3] == ["change agents/marina", "release agents/marina", "go_live agents/marina"]
    assert agent().live_release.snapshot["agent"]["name"] == "Marina the second"
    assert agent("desk").live_release.sub_release_ids == [agent().live_release_id]
    assert apply(text).is_met


def test_endpoints_keep_their_keys(in_harbour):
    EndpointFactory(name="openai", base_url="https://models.example.com/v1", api_key="sk-secret")
    assert "sk-secret" not in exported()
    text = "switchboard: 1\nendpoints:\n  openai: {base_url: 'https://models.example.com/v2'}\n"
    assert done(apply(text)) == ["change endpoints/openai"]
    row = ModelEndpoint.objects.get()
    assert (row.base_url, row.api_key) == ("https://models.example.com/v2", "sk-secret")
    elsewhere = "switchboard: 1\nendpoints:\n  openai: {base_url: 'https://elsewhere.example.com/v1'}\n"
    assert "another server" in refused(elsewhere)["endpoints.openai.base_url"]
    secret = "switchboard: 1\nendpoints:\n  openai: {base_url: 'https://a.example.com', api_key: x}\n"
    assert refused(secret) == {"endpoints.openai.api_key": "There is no field api_key here."}


@pytest.mark.parametrize(
    ("old", "new", "field", "words"),
    [
        ("prompt: greeting\n", "prompt: greting\n", "agents.marina.release.prompt", "no prompt greting"),
        ("[rules]", "[rules, gone]", "agents.marina.release.tools.1", "no tool gone"),
        ("[rules]", "[rules, rules]", "agents.marina.release.tools.1", "twice"),
        ("[house-rules]", "[house-rools]", "agents.marina.release.collections.0", "no collection house-rools"),
        ("[marina]", "[nobody]", "agents.desk.release.sub_agents.0", "no agent nobody"),
        ("[marina]", "[desk]", "agents.desk.release.sub_agents.0", "itself"),
        ("[marina]", "[marina@9]", "agents.desk.release.sub_agents.0", "no release 9"),
        ("kind: supervisor", "kind: domain", "agents.desk.release.sub_agents", "Only a supervisor"),
        ("{hotel: Harbour}\n  desk", "{}\n  desk", "agents.marina.release.variables", "needs a value for hotel"),
        ("{{ hotel }}", "{{ motel }}", "prompts.greeting.content.template", "not declared"),
        ("kind: knowledge", "kind: magic", "tools.rules.content.kind", "Input should be"),
        (
            "welcome_message:",
            "llm: {endpoint: openai, model: m}, welcome_message:",
            "runtime_configs.quick.content",
            "no model endpoint named openai",
        ),
        ("tags: [hotel]", "colour: red", "prompts.greeting.colour", "no field colour"),
        ("switchboard: 1", "switchboard: 2", "switchboard", "Input should be 1"),
        ("  greeting:\n", "  Greeting!:\n", "prompts.Greeting!", "can't be a name"),
        ("prompt: greeting\n", "prompt: greeting@0\n", "agents.marina.release.prompt", "by its slug"),
        ("kind: contains", "kind: smells", "agents.marina.test_cases.Breakfast.turns.0.expect.0", "Input tag"),
        ("[{kind: contains, text: from 7}]", "[]", "agents.marina.test_cases.Breakfast.turns", "expect"),
        ("percentage: 25", "percentage: 250", "flags.new.menu.rules.0.percentage", "100"),
    ],
)
def test_every_fault_is_named_where_it_stands(in_harbour, old, new, field, words):
    before = everything(in_harbour.schema_name)
    assert old in HOTEL
    text = HOTEL.replace(old, new, 1)
    with pytest.raises(DocumentInvalid) as caught:
        apply(text)
    errors = {error["field"]: error for error in caught.value.errors}
    assert words in errors[field]["message"]
    assert "line" in errors[field]
    assert everything(in_harbour.schema_name) == before


def test_what_fails_late_takes_everything_back(opened):
    before = everything(opened.schema_name)
    # A secret that isn't there is found when the tool is published, after the prompt was.
    text = BRIEF.replace("description: Looks things up.", "description: Looks up., credentials: vault-key")
    with pytest.raises(DocumentInvalid) as caught:
        apply(text)
    assert caught.value.errors[0]["field"].startswith("tools.rules")
    assert everything(opened.schema_name) == before


def test_what_people_change_meanwhile_is_not_lost(opened):
    prompt = Prompt.objects.get()
    save_draft(component=prompt, content={"template": "By hand."})
    publish(component=prompt, message="By hand")
    assert done(planned(HOTEL))[0] == "publish prompts/greeting"
    apply(HOTEL)
    assert [version.message for version in PromptVersion.objects.order_by("number")] == ["", "By hand", ""]


def test_the_default_personality_moves(opened):
    text = "switchboard: 1\npersonalities:\n  brisk: {default: true, content: {instructions: Be brisk.}}\n"
    apply(text)
    assert [row.slug for row in Personality.objects.filter(is_default=True)] == ["brisk"]
    assert apply(text).is_met


def test_the_trail_says_what_was_done_and_why(opened):
    apply(BRIEF, message="Fewer words")
    told = AuditEvent.objects.filter(message="Fewer words").values_list("action", flat=True)
    assert {"prompt.published", "release.went_live"} <= set(told)


def test_two_tenants_share_nothing(opened, agency):
    with use_tenant(agency):
        before = everything(agency.schema_name)
    apply(BRIEF, prune=True)
    with use_tenant(agency):
        assert everything(agency.schema_name) == before
        assert not Prompt.objects.exists()
        create_endpoint(name="openai", base_url="https://models.example.com/v1")
    needs = HOTEL.replace("welcome_message:", "llm: {endpoint: openai, model: m}, welcome_message:")
    assert "runtime_configs.quick.content" in refused(needs)


def test_a_document_and_somebody_at_an_editor_do_not_wait_for_each_other(live_tenants):
    apply(HOTEL)
    prompt = Prompt.objects.get(slug="greeting")
    held, failed = threading.Event(), []

    def edit() -> None:
        try:
            with transaction.atomic():
                Prompt.objects.select_for_update(no_key=True).get(pk=prompt.pk)
                held.set()
                time.sleep(0.5)  # the other has begun
                describe_component(component=prompt, name="By hand", tags=[])
        except Exception as error:
            failed.append(error)
        finally:
            held.set()
            connection.close()

    thread = threading.Thread(target=copy_context().run, args=(edit,))
    thread.start()
    held.wait()
    try:
        changed = HOTEL.replace("house-rules: {name: House rules}", "house-rules: {name: The rules}")
        apply(changed.replace("tags: [hotel]", "tags: [hotel, new]"))
    finally:
        thread.join()
    assert not failed
    prompt.refresh_from_db()
    assert (prompt.name, prompt.tags) == ("Greeting", ["hotel", "new"])
