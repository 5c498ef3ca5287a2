"""An agent from a ready template."""

from __future__ import annotations

from agents.configuration.document import read_document
from agents.configuration.reading import read_text
from agents.domain.configuration import apply_configuration
from agents.models import Agent
from agents.ready_made import Template
from switchboard.kernel.problems import Conflict
from tenants.staff.models import User


def apply_template(*, template: Template, by: User | None = None) -> Agent:
    """Make the agents of a template, and put them live: all of it, or nothing.

    Returns:
        The agent that people talk to.

    Raises:
        Conflict: `template_applied`: one of its agents is there already, and might have been changed since.
    """
    wanted = read_document(read_text(template.read()))
    taken = Agent.objects.filter(slug__in=list(wanted.document.agents or {})).order_by("slug").first()
    if taken is not None:
        raise Conflict("template_applied", f"There is an agent {taken.slug} already. Change it, or delete it first.")
    apply_configuration(wanted=wanted, message=f"From the template “{template.name}”", by=by)
    return Agent.objects.get(slug=template.slug)
