"""Agents, releases and endpoints over REST. Thin: the rules are in agents.domain."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.serializers import (
    AgentFields,
    AgentSerializer,
    EndpointFields,
    EndpointSerializer,
    ReleaseFields,
    ReleaseSerializer,
)
from agents.domain.agents import create_agent, update_agent
from agents.domain.endpoints import create_endpoint, delete_endpoint, update_endpoint
from agents.domain.releases import go_live, make_release
from agents.models import Agent, ModelEndpoint, Release
from switchboard.kernel.idempotency import idempotent
from switchboard.kernel.problems import Invalid
from switchboard.kernel.resources import Resource, checked
from tenants.staff.models import User


@extend_schema(tags=["Agents"])
class AgentViewSet(mixins.ListModelMixin, Resource[Agent]):
    """Named assistants."""

    serializer_class = AgentSerializer
    queryset = Agent.objects.all()
    what = "agent"

    @extend_schema(summary="List agents")
    def list(self, request: Request) -> Response:
        """Newest first."""
        return super().list(request)

    @extend_schema(summary="Create an agent", request=AgentFields, responses={201: AgentSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """A new agent answers nothing until a release of it is live."""
        return self.created(create_agent(**checked(AgentFields, request)))

    @extend_schema(summary="Retrieve an agent")
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One agent; its ETag goes into If-Match of a change."""
        return self.shown(self.found(pk))

    @extend_schema(summary="Change an agent", request=AgentFields, responses=AgentSerializer)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Fields that are left out stay as they are. With If-Match, a change made meanwhile is not overwritten."""
        changes = checked(AgentFields, request, partial=True)
        with transaction.atomic():
            row = self.found_as_seen(request, pk)
            kept = {
                "name": row.name,
                "slug": row.slug,
                "welcome": row.welcome,
                "suggested_questions": row.suggested_questions,
            }
            update_agent(agent=row, **{**kept, **changes})
        return self.shown(self.found(pk))


@extend_schema(tags=["Releases"])
class AgentReleaseViewSet(mixins.ListModelMixin, Resource[Release]):
    """The releases of one agent."""

    serializer_class = ReleaseSerializer
    queryset = Release.objects.all()
    what = "release"

    @extend_schema(summary="List an agent's releases")
    def list(self, request: Request, agent_id: UUID) -> Response:
        """Newest first."""
        return self.listed(self.get_queryset().filter(agent=self._agent(agent_id)))

    @extend_schema(summary="Make a release", request=ReleaseFields, responses={201: ReleaseSerializer})
    @idempotent
    def create(self, request: Request, agent_id: UUID) -> Response:
        """Immutable from then on. With `go_live` the agent answers by it at once."""
        agent = self._agent(agent_id)
        fields = checked(ReleaseFields, request)
        at_once, endpoint_id = fields.pop("go_live"), fields.pop("endpoint")
        with transaction.atomic():
            release = make_release(
                agent=agent, endpoint=_endpoint(endpoint_id), created_by=_person(request.user), **fields
            )
            if at_once:
                go_live(release=release)
        return self.created(release, basename="release")

    def _agent(self, agent_id: UUID) -> Agent:
        return AgentViewSet(request=self.request).found(agent_id)


@extend_schema(tags=["Releases"])
class ReleaseViewSet(Resource[Release]):
    """Releases by their ids."""

    serializer_class = ReleaseSerializer
    queryset = Release.objects.all()
    what = "release"

    @extend_schema(summary="Retrieve a release")
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One release. It never changes."""
        return self.shown(self.found(pk))

    @extend_schema(summary="Put a release live", request=None, responses=AgentSerializer)
    @action(detail=True, methods=["post"], url_path="go-live", url_name="go-live")
    def go_live(self, request: Request, pk: UUID) -> Response:
        """Its agent answers by it from the next turn on. An older release may go live again."""
        release = self.found(pk)
        go_live(release=release)
        return Response(AgentSerializer(Agent.objects.get(pk=release.agent_id)).data)


@extend_schema(tags=["Endpoints"])
class EndpointViewSet(mixins.ListModelMixin, Resource[ModelEndpoint]):
    """Where language models are reached: URLs that speak OpenAI's chat completions."""

    serializer_class = EndpointSerializer
    queryset = ModelEndpoint.objects.all()
    what = "endpoint"

    @extend_schema(summary="List endpoints")
    def list(self, request: Request) -> Response:
        """Newest first."""
        return super().list(request)

    @extend_schema(summary="Create an endpoint", request=EndpointFields, responses={201: EndpointSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Its key is stored encrypted and never shown. Whether the address may be reached is judged at each request."""
        return self.created(create_endpoint(**checked(EndpointFields, request)))

    @extend_schema(summary="Retrieve an endpoint")
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One endpoint, without its key."""
        return self.shown(self.found(pk))

    @extend_schema(summary="Change an endpoint", request=EndpointFields, responses=EndpointSerializer)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Fields that are left out stay as they are, the key among them."""
        changes = checked(EndpointFields, request, partial=True)
        with transaction.atomic():
            row = self.found_as_seen(request, pk)
            update_endpoint(endpoint=row, **{"name": row.name, "base_url": row.base_url, **changes})
        return self.shown(self.found(pk))

    @extend_schema(summary="Delete an endpoint", responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Only one that no release names: `endpoint_in_use` otherwise."""
        delete_endpoint(endpoint=self.found(pk))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _endpoint(endpoint_id: UUID | None) -> ModelEndpoint | None:
    if endpoint_id is None:
        return None
    endpoint = ModelEndpoint.objects.filter(pk=endpoint_id).first()
    if endpoint is None:
        raise Invalid("release_invalid", "There is no such endpoint.", field="endpoint")
    return endpoint


def _person(caller: Any) -> User | None:
    """The member of staff behind a request; none behind a program's."""
    return caller if isinstance(caller, User) else None
