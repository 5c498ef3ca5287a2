"""The editors of registries: what is typed is kept, what is wrong is told at its place, nobody overwrites anybody."""

import json
import re
from html import unescape

import pytest
from django.http import QueryDict

from agents.content.agent import ProfileContent
from agents.content.base import Content, Part, read
from agents.content.personality import PersonalityContent
from agents.content.prompt import PromptContent
from agents.content.runtime import RuntimeContent
from agents.content.tool import ToolContent
from agents.domain.components import save_draft
from agents.editing.fields import sections_of
from agents.editing.posted import posted_content
from agents.models import Personality, Prompt, RuntimeConfig, Tool
from tenants.context import use_tenant
from tests.factories import (
    AgentFactory,
    EndpointFactory,
    PersonalityFactory,
    PromptFactory,
    RuntimeConfigFactory,
    ToolFactory,
)

HOSTILE = "</textarea><script>alert('x')</script>{{ 7|add:7 }}\"'<b>"
FACTORIES = {
    "prompt": PromptFactory,
    "tool": ToolFactory,
    "personality": PersonalityFactory,
    "runtimeconfig": RuntimeConfigFactory,
    "agent": AgentFactory,
}


def address(row, page="change"):
    return f"/admin/agents/{row._meta.model_name}/{row.pk}/{page}/"


def editor(row):
    return address(row, "profile" if row.word == "agent" else "change")


def prompt_form(row, template="Be kind.", variables=(), **changes):
    """What a browser sends from a prompt's editor."""
    form = {"name": row.name, "tags": "", "draft_revision": row.draft_revision, "content.template": template}
    for index, variable in enumerate(variables):
        form |= {f"content.variables.{index}.{name}": value for name, value in variable.items()}
    return {**form, "action": "save", **changes}


def fields_of(page):
    """Every field of an editor's page, by its path."""
    return {one.path: one for section in page.context["sections"] for top in section.fields for one in top.all()}


# --- from a model to a form and back ---------------------------------------------------------------------------------


def as_form(fields):
    """What a browser would send of fields as they are shown."""
    sent = QueryDict(mutable=True)
    for top in fields:
        for one in top.all():
            if one.widget in {"section", "rows"} or (one.widget == "switch" and not one.value):
                continue
            if one.widget == "optional":
                if one.value:
                    sent[f"{one.name}.on"] = "on"
                continue
            sent[one.name] = "on" if one.widget == "switch" else one.value
    return sent


LOCAL, REMOTE = {"endpoint": "", "model": "local"}, {"endpoint": "e", "model": "m", "temperature": 0.7}
SPEECH = {"endpoint": "e", "model": "m", "voice": "v", "language": "de", "options": {"speed": 1.5, "terms": ["a"]}}
ARGUMENTS = {"type": "object", "properties": {"n": {"type": "integer", "enum": [1, 2]}}, "required": ["n"]}
CONTENTS = [
    (PromptContent, {"template": "Hi {{ a }}", "variables": [{"name": "a", "required": False, "default": "x\ny"}]}),
    (ToolContent, {"kind": "http", "description": "D", "handler": "https://a", "input_schema": ARGUMENTS}),
    (PersonalityContent, {"instructions": "Kind.", "languages": ["en", "de-AT"], "capabilities": ["a, b"]}),
    (RuntimeContent, {"llm": REMOTE, "fallbacks": [LOCAL, REMOTE], "judge": REMOTE, "vision": {"enabled": True}}),
    (RuntimeContent, {"stt": SPEECH, "tts_fallbacks": [{}, SPEECH], "realtime": SPEECH, "languages": ["en", "de"]}),
    (RuntimeContent, {"stt": {"options": {"a": [1]}}, "safety": {"blocked_topics": ["politics"]}}),
    (ProfileContent, {"kind": "supervisor", "examples": ["one", "two"]}),
]


@pytest.mark.parametrize("content", [kind.model_validate(raw) for kind, raw in CONTENTS], ids=str)
def test_a_content_comes_through_its_form_unchanged(content):
    sections = sections_of(type(content), content.as_json(), {})
    sent = as_form([field for section in sections for field in section.fields])
    assert read(type(content), posted_content(type(content), sent)) == (content, [])


def test_a_field_that_nobody_described_shows_by_itself():
    class Inner(Part):
        depth: int = 3

    class Novel(Content):
        mood: str = "calm"
        inner: Inner = Inner()

    (section,) = sections_of(Novel, {"mood": "wild"}, {})
    mood, inner = section.fields
    assert (mood.label, mood.widget, mood.value, mood.is_changed) == ("Mood", "line", "wild", True)
    assert (inner.children[0].path, inner.children[0].value) == ("inner.depth", "3")


def test_what_is_no_number_is_kept_as_it_was_typed():
    sent = QueryDict("content.llm.temperature=warm&content.llm.max_tokens=&content.llm.model=local")
    assert posted_content(RuntimeContent, sent)["llm"] == {"temperature": "warm", "model": "local"}


def test_rows_keep_the_order_of_the_page():
    sent = QueryDict("content.template=x&content.variables.7.name=first&content.variables.2.name=second")
    names = [variable["name"] for variable in posted_content(PromptContent, sent)["variables"]]
    assert names == ["first", "second"]


# --- saving ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(FACTORIES))
def test_an_editor_that_is_saved_untouched_changes_nothing(staff, kind):
    row = FACTORIES[kind](tags=["one", "two"])
    page = staff.get(editor(row))
    sent = as_form([field for section in page.context["sections"] for field in section.fields]).dict()
    sent |= {"name": row.name, "tags": "one\ntwo", "draft_revision": row.draft_revision, "action": "save"}

    answer = staff.post(editor(row), sent)

    assert answer.status_code == 302
    row.refresh_from_db()
    assert not row.has_unpublished_changes
    assert row.tags == ["one", "two"]


def test_a_prompt_is_drafted_with_its_variables(staff):
    row = PromptFactory()
    variables = [{"name": "hours", "description": "When", "required": "on", "default": ""}]

    staff.post(address(row), prompt_form(row, "Open {{ hours }}.\r\nBye", variables, name="New name", tags="a\nb"))

    row.refresh_from_db()
    assert row.draft == {
        "template": "Open {{ hours }}.\nBye",
        "variables": [{"name": "hours", "description": "When", "required": True, "default": ""}],
    }
    assert (row.name, row.tags, row.has_unpublished_changes) == ("New name", ["a", "b"], True)
    assert row.drafted_by.username.startswith("staff")


def test_an_unfinished_draft_is_kept_and_its_faults_stand_at_their_fields(staff):
    row = PromptFactory()
    variables = [{"name": "fine"}, {"name": "Not A Name"}]
    staff.post(address(row), prompt_form(row, "{{ fine }} {{ nobody }}", variables))

    fields = fields_of(staff.get(address(row)))

    assert "String should match" in fields["variables.1.name"].faults[0]
    assert not fields["variables.0.name"].faults
    staff.post(address(row), prompt_form(Prompt.objects.get(), "{{ nobody }}"))
    page = staff.get(address(row))
    assert fields_of(page)["template"].faults == ["{{ nobody }} is used but not declared."]
    assert "{{ nobody }} is used but not declared." in page.content.decode()


def test_a_check_while_typing_says_what_saving_would_and_keeps_nothing(staff):
    row = PromptFactory()
    answer = staff.post(address(row, "check"), prompt_form(row, "{{ x }}", [{"name": "today"}]))
    assert answer.json() == {
        "faults": {
            "template": ["{{ x }} is used but not declared."],
            "variables.0.name": ["today is known without being declared."],
        },
        "others": [],
    }
    row.refresh_from_db()
    assert not row.has_unpublished_changes


def test_an_endpoint_is_chosen_from_those_that_are_there(staff):
    row = RuntimeConfigFactory()
    EndpointFactory(name="Ollama")
    choices = fields_of(staff.get(address(row)))["llm.endpoint"].choices
    assert [value for value, _ in choices] == ["", "Ollama"]

    save_draft(component=row, content={"llm": {"endpoint": "Gone", "model": "m"}})
    field = fields_of(staff.get(address(row)))["llm.endpoint"]
    assert ("Gone", "Gone (missing)") in field.choices
    assert field.faults == ["There is no model endpoint named Gone."]


def test_one_personality_is_the_default(staff):
    first, second = PersonalityFactory(), PersonalityFactory()
    for row in (first, second):
        form = {"name": row.name, "draft_revision": row.draft_revision, "content.instructions": "Calm."}
        staff.post(address(row), {**form, "is_default": "on"})
    assert list(Personality.objects.filter(is_default=True)) == [second]


def test_a_draft_that_cant_be_stored_is_refused_with_all_that_was_typed(staff):
    row = PromptFactory()
    page = staff.post(address(row), prompt_form(row, "A NUL: \x00", name="Other"))
    assert page.status_code == 422
    assert fields_of(page)["template"].value == "A NUL: \x00"
    assert page.context["labels"]["name"] == "Other"


def test_save_and_publish_leads_to_the_confirmation(staff):
    row = PromptFactory()
    answer = staff.post(address(row), prompt_form(row, action="publish"))
    assert answer["Location"] == address(row, "publish")


# --- two people ------------------------------------------------------------------------------------------------------


@pytest.fixture
def conflict(staff):
    """A prompt that somebody else saved while its editor was open, and the page that its author gets."""
    row = PromptFactory(content={"template": "The old text."})
    form = prompt_form(row, "My text, <b>mine</b>.", name="My name")
    save_draft(component=row, content={"template": "Their text."}, seen_revision=row.draft_revision)
    return row, staff.post(address(row), form)


def test_the_second_to_save_sees_both_texts_and_overwrites_nothing(conflict):
    row, page = conflict
    assert page.status_code == 412
    text = page.content.decode()
    assert "Their text." in text
    assert "My text, &lt;b&gt;mine&lt;/b&gt;." in text
    row.refresh_from_db()
    assert row.draft == {"template": "Their text."}


def kept(page):
    """The fields that the conflict's page holds back."""
    text = page.content.decode()
    names = ("draft_revision", "name", "tags", "content_json")
    return {name: unescape(re.search(rf'name="{name}" value="([^"]*)"', text)[1]) for name in names}


def test_mine_is_kept_where_i_say_so(staff, conflict):
    row, page = conflict
    answer = staff.post(address(row), {**kept(page), "action": "save"})
    assert answer.status_code == 302
    row.refresh_from_db()
    assert row.draft["template"] == "My text, <b>mine</b>."
    assert row.name == "My name"


def test_mine_is_merged_in_the_editor_on_top_of_theirs(staff, conflict):
    row, page = conflict
    merging = staff.post(address(row), {**kept(page), "action": "merge"})
    assert fields_of(merging)["template"].value == "My text, <b>mine</b>."
    row.refresh_from_db()
    assert merging.context["seen"] == row.draft_revision
    assert row.draft == {"template": "Their text."}


def test_a_third_person_is_noticed_as_well(staff, conflict):
    row, page = conflict
    save_draft(component=row, content={"template": "A third text."})
    again = staff.post(address(row), {**kept(page), "action": "save"})
    assert again.status_code == 412
    assert "A third text." in again.content.decode()


# --- hostile text, strangers, other tenants --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("factory", "content"),
    [
        (PromptFactory, {"template": HOSTILE, "variables": [{"name": "a", "description": HOSTILE}]}),
        (PersonalityFactory, {"instructions": HOSTILE, "capabilities": [HOSTILE]}),
        (ToolFactory, {"kind": "knowledge", "description": HOSTILE, "input_schema": {"type": "object", "x": HOSTILE}}),
        (RuntimeConfigFactory, {"welcome_message": HOSTILE, "stt": {"options": {"a": HOSTILE}}}),
        (AgentFactory, {"description": HOSTILE, "examples": [HOSTILE]}),
    ],
)
def test_hostile_text_stays_text_on_every_page(staff, factory, content):
    row = factory(
        name=HOSTILE, tags=[HOSTILE[:40]], published=False, **({"live": False} if factory is AgentFactory else {})
    )
    save_draft(component=row, content=content)
    for place in (
        f"/admin/agents/{row._meta.model_name}/",
        editor(row),
        address(row, "versions"),
        address(row, "publish"),
    ):
        text = staff.get(place).content.decode()
        assert "<script>alert" not in text, place
        assert "</textarea><script" not in text, place


@pytest.mark.parametrize("kind", sorted(FACTORIES))
def test_another_tenants_entry_is_not_there(staff, agency, kind):
    with use_tenant(agency):
        row = FACTORIES[kind](name="Foreign")
    for page in ("versions", "publish", "versions/1/return"):
        assert staff.get(address(row, page)).status_code == 404
    assert staff.get(address(row)).status_code == 302  # Django's admin leads home, as for what never was
    for page in ("check", "restore"):
        assert staff.post(address(row, page)).status_code == 404
    assert "Foreign" not in staff.get(f"/admin/agents/{kind}/").content.decode()


@pytest.mark.parametrize(("kind", "model"), [("prompt", Prompt), ("tool", Tool), ("runtimeconfig", RuntimeConfig)])
def test_a_new_entry_leads_to_its_editor(staff, kind, model):
    answer = staff.post(f"/admin/agents/{kind}/add/", {"name": "Front desk", "slug": "front-desk"})
    row = model.objects.get()
    assert (row.name, row.slug, answer["Location"]) == ("Front desk", "front-desk", address(row))
    again = staff.post(f"/admin/agents/{kind}/add/", {"name": "Other", "slug": "front-desk"})
    assert again.status_code == 422
    assert "already" in again.content.decode()


def test_whoever_may_only_look_gets_no_button_and_changes_nothing(in_harbour, client_for, staff_of):
    viewer = client_for(in_harbour, staff_of(in_harbour, role="viewer"))
    row = PromptFactory(content={"template": "Theirs."})
    page = viewer.get(address(row)).content.decode()
    assert "Theirs." in page
    assert "Save draft" not in page
    assert "Delete this" not in page
    assert viewer.post(address(row), prompt_form(row)).status_code == 403
    for deed in ("publish", "versions/1/return"):
        assert viewer.post(address(row, deed)).status_code == 403
    row.refresh_from_db()
    assert json.dumps(row.draft) == '{"template": "Theirs."}'
