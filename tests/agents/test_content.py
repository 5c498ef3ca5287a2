"""What a version may hold, and what is told of what it may not."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.content.base import MOST_BYTES, check_draft, checksum_of, read
from agents.content.personality import PersonalityContent
from agents.content.prompt import PromptContent, TemplateRefused, render, values_for
from agents.content.runtime import RuntimeContent
from agents.content.tool import ToolContent
from switchboard.kernel.problems import Invalid


def fields_at_fault(kind: Any, raw: dict[str, Any]) -> set[str]:
    return {fault.field for fault in read(kind, raw)[1]}


# --- prompts ----------------------------------------------------------------------------------------------------------
def prompt(template: str, *names: str, **more: Any) -> PromptContent:
    return PromptContent.model_validate({"template": template, "variables": [{"name": name, **more} for name in names]})


def test_a_template_is_filled_in():
    content = prompt("You are {{agent_name}} at {{ place }}.", "place")
    values = {**values_for(content, {"place": "the quay"}), "agent_name": "Marina"}
    assert render(content.template, values) == "You are Marina at the quay."


def test_what_a_value_holds_is_not_filled_in_again():
    assert render("{{ a }}", {"a": "{{ b }}", "b": "secret"}) == "{{ b }}"


@pytest.mark.parametrize("given", [{}, {"place": " "}, {"place": "here", "plaice": "there"}])
def test_missing_and_unknown_values_are_refused(given):
    with pytest.raises(TemplateRefused):
        values_for(prompt("{{ place }}", "place"), given)


def test_an_optional_variable_has_its_default():
    content = prompt("{{ place }}", "place", required=False, default="the quay")
    assert values_for(content, {}) == {"place": "the quay"}


def test_rendering_refuses_what_has_no_value():
    with pytest.raises(TemplateRefused):
        render("{{ nobody }}", {})


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({"template": "Hello {{ name }}"}, "template"),
        ({"template": "Hello {{ 1 + 1 }}"}, "template"),
        ({"template": "Hello {{ self.__class__ }}"}, "template"),
        ({"template": "Hello {{ }}"}, "template"),
        ({"template": ""}, "template"),
        ({}, "template"),
        ({"template": "x", "variables": [{"name": "Name"}]}, "variables.0.name"),
        ({"template": "x", "variables": [{"name": "today"}]}, "variables.0.name"),
        ({"template": "x", "variables": [{"name": "a"}, {"name": "a"}]}, "variables.1.name"),
        ({"template": "x", "variables": [{"name": "a", "typ": "text"}]}, "variables.0.typ"),
    ],
)
def test_a_prompt_says_what_is_wrong_with_it(raw, field):
    assert field in fields_at_fault(PromptContent, raw)


@given(st.text(max_size=300), st.dictionaries(st.from_regex(r"[a-z]{1,3}", fullmatch=True), st.text(max_size=20)))
def test_rendering_ends_with_a_text_or_a_refusal(template, values):
    with contextlib.suppress(TemplateRefused):
        assert isinstance(render(template, values), str)


# --- tools, personalities, runtime configs ----------------------------------------------------------------------------
TOOL = {"kind": "http", "description": "Books a table.", "handler": "https://example.com/book"}


def test_a_tool_can_be_published():
    schema = {"type": "object", "properties": {"people": {"type": "integer", "minimum": 1}}, "required": ["people"]}
    assert fields_at_fault(ToolContent, {**TOOL, "input_schema": schema, "writes": True}) == set()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "shell"}, "kind"),
        ({"handler": "ftp://example.com"}, "handler"),
        ({"kind": "python", "handler": ""}, "handler"),
        ({"kind": "knowledge"}, "handler"),
        ({"input_schema": {"type": "string"}}, "input_schema.type"),
        (
            {"input_schema": {"type": "object", "properties": {"a": {"type": "integr"}}}},
            "input_schema.properties.a.type",
        ),
        ({"input_schema": []}, "input_schema"),
        ({"timeout_seconds": 0}, "timeout_seconds"),
        ({"timeout_seconds": 1e9}, "timeout_seconds"),
    ],
)
def test_a_tool_says_what_is_wrong_with_it(change, field):
    assert field in fields_at_fault(ToolContent, {**TOOL, **change})


def test_a_personality_is_told_to_the_model_whole():
    content = PersonalityContent(instructions="Be kind.", tone="calm", capabilities=("book tables",), languages=("de",))
    told = content.as_instructions()
    assert all(part in told for part in ("Be kind.", "calm", "book tables", "de"))


def test_a_language_is_a_tag():
    assert fields_at_fault(PersonalityContent, {"instructions": "x", "languages": ["en", "German"]}) == {"languages.1"}


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({"llm": {"model": "gpt"}}, "llm.endpoint"),
        ({"llm": {"endpoint": "OpenAI"}}, "llm.model"),
        ({"llm": {"temperature": 3}}, "llm.temperature"),
        ({"llm": {"temperature": float("nan")}}, "llm.temperature"),
        ({"fallbacks": [{"model": "gpt"}]}, "fallbacks.0.endpoint"),
        ({"judge": {}}, "judge.endpoint"),
        ({"vision": {"frames_per_second": 30}}, "vision.frames_per_second"),
        (
            {"turn_taking": {"min_endpointing_delay": 5, "max_endpointing_delay": 1}},
            "turn_taking.max_endpointing_delay",
        ),
        ({"lm": {}}, "lm"),
    ],
)
def test_a_runtime_config_says_what_is_wrong_with_it(raw, field):
    assert field in fields_at_fault(RuntimeContent, raw)


# --- drafts -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "raw",
    [None, [], "text", {"templat": "x"}, {"template": "a\x00b"}, {"template": "\ud800"}, {"template": float("inf")}],
)
def test_a_draft_that_cannot_be_kept_is_refused(raw):
    with pytest.raises(Invalid) as refused:
        check_draft(PromptContent, raw)
    assert refused.value.code == "draft_invalid"


def test_an_unfinished_draft_is_kept():
    assert check_draft(PromptContent, {"variables": []}) == {"variables": []}


def test_a_draft_has_a_size():
    with pytest.raises(Invalid):
        check_draft(PromptContent, {"template": "x" * MOST_BYTES})


def test_a_checksum_looks_at_what_is_said_not_at_its_order():
    assert checksum_of({"a": 1, "b": [2, 3]}) == checksum_of({"b": [2, 3], "a": 1})
    assert checksum_of({"a": 1}) != checksum_of({"a": 2})
