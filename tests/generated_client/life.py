"""The whole life of an agent by a generated client, `generated_switchboard`, which the test makes from the document.

mypy checks this file together with the client, so a field that the document doesn't promise is a fault here.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

from generated_switchboard import AuthenticatedClient
from generated_switchboard.api.agents import agents_create, agents_publish
from generated_switchboard.api.audit import audit_list
from generated_switchboard.api.flags import flags_create, flags_list, flags_partial_update
from generated_switchboard.api.prompts import (
    prompts_create,
    prompts_diff,
    prompts_list,
    prompts_partial_update,
    prompts_publish,
    prompts_render,
    prompts_retrieve,
)
from generated_switchboard.api.releases import (
    agents_releases,
    releases_canary,
    releases_create,
    releases_diff,
    releases_go_live,
    releases_rollback,
)
from generated_switchboard.models import (
    Agent,
    AgentVersion,
    CanaryFields,
    Diff,
    Flag,
    FlagFields,
    GoLiveFields,
    NewAgent,
    NewPrompt,
    PaginatedAuditEventList,
    PaginatedFlagList,
    PaginatedPromptSummaryList,
    PaginatedReleaseSummaryList,
    PatchedFlagChanges,
    PatchedPromptChanges,
    Problem,
    ProfileDraft,
    Prompt,
    PromptDraft,
    PromptVersion,
    PublishFields,
    Release,
    ReleaseDiff,
    ReleaseFields,
    ReleaseFieldsVariables,
    Rendered,
    RenderFields,
    RenderFieldsValues,
    RollbackFields,
    VariableDraft,
)
from generated_switchboard.types import Response

T = TypeVar("T")


@dataclass
class Life:
    """What came of it."""

    rendered: str
    stale: Problem
    draft_words: list[tuple[str, str]]
    release_paths: list[str]
    serving: dict[int, str]
    rolled_back_to: str
    actions: list[str]
    found: list[str]


def live(client: AuthenticatedClient) -> Life:
    """Make a prompt and an agent, put it live, edit, compare, try a canary, roll back, and read who did what."""
    content = PromptDraft(
        template="You answer the guests of {{ hotel }} in full and friendly sentences.",
        variables=[VariableDraft(name="hotel", description="As guests know it.")],
    )
    made = prompts_create.sync_detailed(client=client, body=NewPrompt(name="House", slug="house", content=content))
    prompt = done(made, Prompt, HTTPStatus.CREATED)
    seen = made.headers["ETag"]
    first = done(
        prompts_publish.sync_detailed(prompt.id, client=client, body=PublishFields(message="The first")),
        PromptVersion,
        HTTPStatus.CREATED,
    )
    values = RenderFieldsValues.from_dict({"hotel": "The Harbour"})
    rendered = done(prompts_render.sync_detailed(prompt.id, client=client, body=RenderFields(values=values)), Rendered)

    profile = ProfileDraft(description="Answers guests' questions.")
    agent = done(
        agents_create.sync_detailed(client=client, body=NewAgent(name="Concierge", slug="concierge", content=profile)),
        Agent,
        HTTPStatus.CREATED,
    )
    done(agents_publish.sync_detailed(agent.id, client=client, body=PublishFields()), AgentVersion, HTTPStatus.CREATED)
    one = release_of(client, agent, f"house@{first.number}")
    one = done(releases_go_live.sync_detailed(one.id, client=client, body=GoLiveFields(message="Opening day")), Release)

    content.template = "You answer the guests of {{ hotel }} in short and friendly sentences."
    changes = PatchedPromptChanges(content=content)
    current = prompts_retrieve.sync_detailed(prompt.id, client=client)
    edited = prompts_partial_update.sync_detailed(
        prompt.id, client=client, body=changes, if_match=current.headers["ETag"]
    )
    done(edited, Prompt)
    stale = prompts_partial_update.sync_detailed(
        prompt.id, client=client, body=PatchedPromptChanges(name="Somebody else's"), if_match=seen
    )
    refused = refusal(stale)
    difference = done(prompts_diff.sync_detailed(prompt.id, client=client), Diff)
    done(
        prompts_publish.sync_detailed(prompt.id, client=client, body=PublishFields(message="Shorter")),
        PromptVersion,
        HTTPStatus.CREATED,
    )

    two = release_of(client, agent, "house@latest")
    compared = done(releases_diff.sync_detailed(two.id, client=client, against=one.id), ReleaseDiff)
    two = done(releases_canary.sync_detailed(two.id, client=client, body=CanaryFields(percent=50)), Release)
    releases = done(agents_releases.sync_detailed(agent.id, client=client), PaginatedReleaseSummaryList)
    serving = {release.number: str(release.serves) for release in releases.results}
    three = done(
        releases_rollback.sync_detailed(one.id, client=client, body=RollbackFields(message="Guests complained")),
        Release,
        HTTPStatus.CREATED,
    )

    trail = done(audit_list.sync_detailed(client=client, limit=100), PaginatedAuditEventList)
    page = done(prompts_list.sync_detailed(client=client, q="hous", published=True), PaginatedPromptSummaryList)
    return Life(
        rendered=rendered.text,
        stale=refused,
        draft_words=[(str(segment.side), segment.text) for change in difference.changes for segment in change.segments],
        release_paths=[change.path for change in compared.changes],
        serving=serving,
        rolled_back_to=three.snapshot.prompt.content.template,
        actions=[event.action for event in reversed(trail.results)],
        found=[row.slug for row in page.results],
    )


def kill_a_flag(client: AuthenticatedClient) -> list[str]:
    """Make a flag, switch it off as it was seen, and list what is switched off: a company's, or everybody's."""
    made = flags_create.sync_detailed(client=client, body=FlagFields(key="checkout.new_flow", default=True))
    flag = done(made, Flag, HTTPStatus.CREATED)
    changes = PatchedFlagChanges(enabled=False, message="Payments fail")
    killed = flags_partial_update.sync_detailed(flag.id, client=client, body=changes, if_match=made.headers["ETag"])
    assert not done(killed, Flag).enabled
    page = done(flags_list.sync_detailed(client=client, enabled=False), PaginatedFlagList)
    return [row.key for row in page.results]


def release_of(client: AuthenticatedClient, agent: Agent, prompt: str) -> Release:
    variables = ReleaseFieldsVariables.from_dict({"hotel": "The Harbour"})
    fields = ReleaseFields(prompt=prompt, variables=variables, message=f"Made of {prompt}")
    return done(releases_create.sync_detailed(agent.id, client=client, body=fields), Release, HTTPStatus.CREATED)


def done(response: Response[Problem | T], kind: type[T], status: HTTPStatus = HTTPStatus.OK) -> T:
    """What an answer holds, if it is what the document promises for this status."""
    assert response.status_code == status, response.content
    assert isinstance(response.parsed, kind), response.content
    return response.parsed


def refusal(response: Response[Problem | T]) -> Problem:
    """The problem that an answer is."""
    assert isinstance(response.parsed, Problem), response.content
    return response.parsed
