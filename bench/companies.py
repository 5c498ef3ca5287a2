"""Tenants that have what a benchmark needs: an agent behind the stub model, and an API key."""

from __future__ import annotations

import uuid
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Company:
    """A tenant as a program sees it.

    Args:
        host: its hostname.
        key: an API key of it.
        agent: the id of its agent.
        canary: a text that its rows hold and no other tenant's do.
        collection: the id of an empty collection.
    """

    slug: str
    host: str
    key: str
    agent: uuid.UUID
    canary: str
    collection: uuid.UUID
    schema_name: str


def make_company(*, slug: str, model_url: str, model: str, canary: str = "") -> Company:
    """A tenant with an agent on an OpenAI-compatible endpoint.

    Args:
        model_url: base URL, `/v1` included.
    """
    from agents.domain.agents import compose_agent
    from agents.domain.endpoints import create_endpoint
    from knowledge.domain.collection import create_collection
    from tenants.context import use_public, use_tenant
    from tenants.domain.api_keys import create_api_key
    from tenants.domain.provision import create_tenant

    host = f"{slug.replace('_', '-')}.localhost"
    with use_public():
        tenant = create_tenant(name=f"Company {slug} {canary}".strip(), slug=slug, domains=[host])
        key = create_api_key(tenant=tenant, name="bench")[1]
    with use_tenant(tenant):
        endpoint = create_endpoint(name=f"Stub {canary}".strip(), base_url=model_url, api_key="sk-stub")
        release = compose_agent(
            name=f"Agent {canary}".strip(),
            slug="agent",
            prompt=f"You answer the guests of {slug}. {canary}".strip(),
            endpoint=endpoint.name,
            model=model,
        )
        collection = create_collection(name=f"Papers {canary}".strip(), slug="papers")
    return Company(slug, host, key, release.agent_id, canary, collection.pk, tenant.schema_name)
