"""An agent from a ready template."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

from agents.configuration.document import read_document
from agents.configuration.reading import read_text
from agents.domain.configuration import apply_configuration
from agents.models import Agent
from agents.ready_made import Template
from knowledge.models import Collection
from switchboard.kernel.problems import Conflict
from tenants.staff.models import User


def apply_template(*, template: Template, collections: Sequence[Collection] = (), by: User | None = None) -> Agent:
    """Make the agents of a template, and put them live: all of it, or nothing.

    Args:
        collections: what they answer from, in place of the template's own, which is made empty.

    Returns:
        The agent that people talk to.

    Raises:
        Conflict: `template_applied`: one of its agents is there already, and might have been changed since.
    """
    source = read_text(template.read())
    wanted = read_document(replace(source, data=_reading_from(source.data, collections)))
    taken = Agent.objects.filter(slug__in=list(wanted.document.agents or {})).order_by("slug").first()
    if taken is not None:
        raise Conflict("template_applied", f"There is an agent {taken.slug} already. Change it, or delete it first.")
    apply_configuration(wanted=wanted, message=f"From the template “{template.name}”", by=by)
    return Agent.objects.get(slug=template.slug)


def _reading_from(data: Any, collections: Sequence[Collection]) -> Any:
    """A template's document, its agents reading other collections."""
    if not collections:
        return data
    slugs = [collection.slug for collection in collections]
    changed = {key: value for key, value in deepcopy(data).items() if key != "collections"}
    for agent in changed["agents"].values():
        if agent["release"].get("collections"):
            agent["release"]["collections"] = slugs
    return changed
