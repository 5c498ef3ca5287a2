"""What applying a document does to an agent's releases: canaries, pins, supervisors."""

import pytest

from agents.models import (
    Agent,
    Release,
)
from tenants.context import use_tenant
from tests.agents.configuration.documents import HOTEL, agent, apply, done, exported, planned, refused

BRIEF = HOTEL.replace("kindly", "briefly")
pytestmark = pytest.mark.usefixtures("in_harbour")


def test_a_canary_is_started_changed_and_ended(opened):
    canary = "    canary: {percent: 20, release: {prompt: greeting, variables: {hotel: Hafen}}}\n"
    text = HOTEL.replace("  desk:\n", f"{canary}  desk:\n")
    assert done(apply(text)) == ["release agents/marina", "canary agents/marina"]
    assert (agent().canary_percent, agent().canary_release.number) == (20, 2)
    assert apply(text).is_met
    assert done(apply(text.replace("percent: 20", "percent: 50"))) == ["canary agents/marina"]
    assert (agent().canary_percent, agent().canary_release.number) == (50, 2)
    assert apply(HOTEL).is_met  # it says nothing of canaries
    assert done(apply(HOTEL.replace("  desk:\n", "    canary: null\n  desk:\n"))) == ["end_canary agents/marina"]
    assert agent().canary_release is None
    assert agent().live_release.number == 1


def test_a_pinned_release_is_tried_as_the_canary_itself(opened):
    older = "releases:\n      7: {prompt: greeting, variables: {hotel: Hafen}}"
    canary = "canary: {percent: 20, release: {prompt: greeting, variables: {hotel: Hafen}}}"
    text = HOTEL.replace("  desk:\n", f"    {older}\n    {canary}\n  desk:\n").replace("[marina]", "[marina@7]")
    assert done(apply(text)).count("release agents/marina") == 1
    assert (agent().canary_release.number, agent().live_release.number) == (7, 1)
    assert agent("desk").live_release.sub_release_ids == [agent().canary_release_id]


def test_a_canary_goes_on_beside_a_new_live_release(opened):
    canary = "    canary: {percent: 20, release: {prompt: greeting, variables: {hotel: Hafen}}}\n"
    apply(HOTEL.replace("  desk:\n", f"{canary}  desk:\n"))
    text = HOTEL.replace("  desk:\n", f"{canary}  desk:\n").replace("Welcome!", "Hello!")
    apply(text)
    assert (agent().live_release.number, agent().canary_percent, agent().canary_release.number) == (3, 20, 2)
    assert apply(text).is_met
    ends = planned(HOTEL.replace("Welcome!", "Good day!"))
    assert "#4, which ends the canary" in [step.detail for step in ends.steps]


def test_older_versions_are_named_by_their_numbers(opened):
    apply(BRIEF, "prompts")
    text = BRIEF.replace("      prompt: greeting\n", "      prompt: greeting@1\n")
    assert "agents/marina" not in {step.entry for step in planned(text).steps}
    faults = refused(BRIEF.replace("      prompt: greeting\n", "      prompt: greeting@7\n"))
    assert faults == {
        "agents.marina.release.prompt": "There is no version 7 of the prompt greeting, neither under its versions in "
        "the document nor in the tenant."
    }


def test_what_still_serves_of_an_older_version_goes_along(opened, agency):
    apply(BRIEF, "prompts")
    text = exported()
    assert "prompt: greeting@1" in text
    assert '    versions:\n      "1":\n' in text
    with use_tenant(agency):
        apply(text)
        assert exported() == text
        assert "kindly" in Agent.objects.get(slug="marina").live_release.snapshot["prompt"]["content"]["template"]


def test_a_supervisor_stays_with_the_release_it_was_made_of(opened, agency):
    apply(BRIEF, "prompts", "agents/marina")
    apply(BRIEF, "prompts", "agents/marina")
    text = exported()
    assert "- marina@1" in text
    with use_tenant(agency):
        apply(text)
        assert exported() == text
        marina = Agent.objects.get(slug="marina")
        assert (marina.live_release.number, Release.objects.filter(agent=marina).count()) == (2, 2)
