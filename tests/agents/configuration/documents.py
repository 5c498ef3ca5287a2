"""What the tests of configuration share."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.db import connection

from agents.configuration.document import Wanted, read_document
from agents.configuration.exporting import export
from agents.configuration.plan import Options, Plan
from agents.configuration.reading import DocumentInvalid, read_text
from agents.configuration.state import load
from agents.configuration.writing import as_yaml
from agents.domain.configuration import apply_configuration, plan_configuration
from agents.models import Agent

HOTEL = """\
switchboard: 1
collections:
  house-rules: {name: House rules}
prompts:
  greeting:
    name: Greeting
    tags: [hotel]
    content:
      template: Answer the guests of {{ hotel }}, kindly and in few words, whatever they ask.
      variables:
        - name: hotel
personalities:
  calm:
    default: true
    content: {instructions: You are calm.}
tools:
  rules:
    content: {kind: knowledge, description: Looks things up.}
runtime_configs:
  quick:
    content: {welcome_message: Welcome!}
flags:
  new.menu: {description: The new menu, enabled: true, rules: [{then: "on", percentage: 25}]}
agents:
  marina:
    name: Marina
    content: {description: Knows the hotel.}
    test_cases:
      Breakfast:
        turns:
          - say: When is breakfast?
            expect: [{kind: contains, text: from 7}]
    release:
      prompt: greeting
      runtime_config: quick
      tools: [rules]
      collections: [house-rules]
      variables: {hotel: Harbour}
  desk:
    name: Desk
    content: {kind: supervisor}
    release: {prompt: greeting, personality: null, sub_agents: [marina], variables: {hotel: Harbour}}
"""


def wanted(text: str, *only: str) -> Wanted:
    return read_document(read_text(text.encode()), only=only)


def apply(text: str, *only: str, dry_run: bool = False, message: str = "", **options: bool) -> Plan:
    """Apply a text to the tenant in force."""
    document = wanted(text, *only)
    return apply_configuration(wanted=document, options=Options(**options), dry_run=dry_run, message=message)


def planned(text: str, *only: str, **options: bool) -> Plan:
    return plan_configuration(wanted=wanted(text, *only), options=Options(**options))


def exported(*only: str) -> str:
    """The configuration of the tenant in force, as text."""
    return as_yaml(export(load(), only=only).data)


def done(plan: Plan) -> list[str]:
    """A plan's steps in short, such as `publish prompts/greeting`."""
    return [f"{step.action} {step.entry}" for step in plan.steps]


def everything(schema: str) -> dict[str, Any]:
    """Every table of a schema: how many rows, and a checksum of them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", [schema])
        tables = [row[0] for row in cursor.fetchall()]
        found = {}
        for table in tables:
            cursor.execute(f'SELECT one::text FROM "{schema}"."{table}" one ORDER BY 1')
            rows = [row[0] for row in cursor.fetchall()]
            found[table] = (len(rows), hashlib.sha256("\n".join(rows).encode()).hexdigest())
    return found


def agent(slug: str = "marina") -> Agent:
    """The agent of `HOTEL`, or another."""
    return Agent.objects.get(slug=slug)


def refused(text: str, *only: str, **options: Any) -> Any:
    """Why a document is not applied, and not planned either."""
    with pytest.raises(DocumentInvalid) as caught:
        apply(text, *only, **options)
    with pytest.raises(DocumentInvalid) as planning:
        planned(text, *only, **options)
    assert planning.value.errors == caught.value.errors
    return {error["field"]: error["message"] for error in caught.value.errors}
