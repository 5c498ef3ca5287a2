"""The two demo companies, made once: tenant, staff, API key, documents, agent. Run again, it adds what is missing."""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import File

from agents.domain.agents import compose_agent
from agents.domain.components import create_component, publish
from agents.domain.personalities import set_default
from agents.models import Agent, Personality, Tool, ToolVersion
from conversations.desk.domain.calendars import create_calendar
from conversations.desk.models import ReservationCalendar
from knowledge.domain.collection import create_collection
from knowledge.domain.documents import accept_document
from knowledge.models import Collection, Document
from switchboard.demo.companies import DemoCompany, DemoPersonality, DemoTool, load_companies
from switchboard.demo.team import make_team
from switchboard.kernel.problems import Conflict
from tenants.context import use_public, use_tenant
from tenants.domain.api_keys import create_api_key
from tenants.domain.provision import create_tenant
from tenants.models import Tenant
from tenants.permissions import Permission
from tenants.staff.domain.members import create_member
from tenants.staff.models import Role, User

Report = Callable[[str], None]


def seed_demo(*, report: Report) -> Path:
    """Make the demo companies and write their addresses and passwords down.

    Args:
        report: takes one line of progress at a time.

    Returns:
        The file, `demo.json` in the data folder, readable by its owner alone.
    """
    path = settings.DATA_DIR / "demo.json"
    known: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    known["operator"] = _operator(known.get("operator"))
    known["agent_api_key"] = known.get("agent_api_key") or _worker_key()
    earlier = {entry["slug"]: entry for entry in known.get("companies", [])}
    known["companies"] = []
    for company in load_companies():
        report(company.name)
        known["companies"].append(_company(company, earlier.get(company.slug)))
    _write(path, known)
    return path


def _operator(earlier: dict[str, str] | None) -> dict[str, str]:
    entry = {**(earlier or {"user": "operator", "password": secrets.token_urlsafe(9)})}
    entry["url"] = f"http://{settings.PLATFORM_HOST}:{settings.PORT}/admin/"
    with use_public():
        if not User.objects.filter(username=entry["user"]).exists():
            create_member(username=entry["user"], password=entry["password"], role=Role.OWNER)
    return entry


def _worker_key() -> str:
    """What a voice worker elsewhere is given as AGENT_API_KEY."""
    with use_public():
        return create_api_key(tenant=None, name="Voice workers", scopes=[Permission.WORKER_OPERATE])[1]


def _company(company: DemoCompany, earlier: dict[str, str] | None) -> dict[str, str]:
    host = f"{company.slug}.{settings.PLATFORM_HOST}"
    with use_public():
        tenant = Tenant.objects.filter(slug=company.slug).first()
    if tenant is None:
        tenant = create_tenant(name=company.name, slug=company.slug, domains=[host])
    entry = earlier or {"staff_user": "staff", "staff_password": secrets.token_urlsafe(9), "api_key": ""}
    if not entry["api_key"]:
        with use_public():
            entry["api_key"] = create_api_key(tenant=tenant, name="Demo")[1]
    with use_tenant(tenant):
        if not User.objects.filter(username=entry["staff_user"]).exists():
            create_member(username=entry["staff_user"], password=entry["staff_password"], role=Role.OWNER)
        collections = [_collection(company, index) for index in range(len(company.collections))]
        for calendar in company.calendars:
            if not ReservationCalendar.objects.filter(slug=calendar.slug).exists():
                create_calendar(**calendar.model_dump())
        agent = _agent(company, collections)
        make_team(company=company, collections=collections)
        if company.personality is not None:
            _default_personality(company.personality)
    return {
        "slug": company.slug,
        "name": company.name,
        "host": host,
        "url": f"http://{host}:{settings.PORT}/admin/",
        "staff_user": entry["staff_user"],
        "staff_password": entry["staff_password"],
        "api_key": entry["api_key"],
        "agent_id": str(agent.id),
    }


def _collection(company: DemoCompany, index: int) -> Collection:
    wanted = company.collections[index]
    collection = Collection.objects.filter(slug=wanted.slug).first()
    if collection is None:
        collection = create_collection(name=wanted.name, slug=wanted.slug)
    present = set(Document.objects.filter(collection=collection).values_list("filename", flat=True))
    for document in wanted.documents:
        if document.file in present:
            continue
        with company.path_of(document).open("rb") as source:
            try:
                accept_document(collection=collection, upload=File(source, name=document.file), title=document.title)
            except Conflict:
                continue
    return collection


def _agent(company: DemoCompany, collections: list[Collection]) -> Agent:
    wanted = company.agent
    agent = Agent.objects.filter(slug=wanted.slug).first()
    if agent is None:
        release = compose_agent(
            name=wanted.name,
            slug=wanted.slug,
            prompt=wanted.prompt,
            welcome=wanted.welcome,
            suggested_questions=wanted.suggested_questions,
            key_terms=[*wanted.suggested_questions, *wanted.key_terms] if wanted.key_terms else (),
            # Its built-in model says that it sees nothing; one that is put in its place does.
            sees=True,
            collection_ids=[collection.id for collection in collections],
            tools=[_tool(tool) for tool in company.tools],
            test_cases=[case.model_dump(mode="json") for case in wanted.test_cases],
        )
        agent = release.agent
    return agent


def _default_personality(wanted: DemoPersonality) -> None:
    """After the agents, which go on as they were composed."""
    if not Personality.objects.filter(slug=wanted.slug).exists():
        made = create_component(Personality, name=wanted.name, slug=wanted.slug, content=wanted.content.as_json())
        publish(component=made, message="The first version")
        set_default(personality=made)


def _tool(wanted: DemoTool) -> uuid.UUID:
    """The version of a tool that the agent is given."""
    tool = Tool.objects.filter(slug=wanted.slug).first()
    if tool is None:
        tool = create_component(Tool, name=wanted.name, slug=wanted.slug, content=wanted.content.as_json())
    version: ToolVersion = publish(component=tool, message="The first version").version  # type: ignore[assignment]
    return version.pk


def _write(path: Path, value: dict[str, Any]) -> None:
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(value, indent=2))
    draft.replace(path)
