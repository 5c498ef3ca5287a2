"""Releases over REST. Thin: the rules are in agents.domain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar
from uuid import UUID

from django.db import transaction
from django.db.models import Model
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.diffs import diff_response
from agents.api.people import person
from agents.api.releases import (
    CanaryEndFilters,
    CanaryFields,
    GoLiveFields,
    ReleaseDiffFilters,
    ReleaseDiffSerializer,
    ReleaseFields,
    ReleaseSerializer,
    ReleaseSummary,
    RollbackFields,
)
from agents.domain.part_names import PartNames, parts_named
from agents.domain.releases import end_canary, go_live, make_release, roll_back, start_canary
from agents.models import Agent, Release
from agents.queries import compared_with, release_changes
from switchboard.kernel.idempotency import idempotent
from switchboard.kernel.preconditions import IF_MATCH
from switchboard.kernel.problems import NotFound
from switchboard.kernel.resources import asked, checked
from tenants.api.resources import Resource
from tenants.permissions import Permission


@extend_schema(tags=["Releases"])
class AgentReleaseViewSet(mixins.ListModelMixin, Resource[Release]):
    """The releases of one agent."""

    serializer_class = ReleaseSerializer
    queryset = Release.objects.select_related("agent", "created_by")
    what = "release"
    permissions: ClassVar[Mapping[str, Permission]] = {
        "list": Permission.AGENTS_READ,
        "create": Permission.AGENTS_WRITE,
    }

    def permission_target(self) -> Model | None:
        """The agent, for whoever may do more with it than with others."""
        return Agent.objects.filter(pk=self.kwargs["agent_id"]).first()

    @extend_schema(
        operation_id="agents_releases", summary="List an agent's releases", responses=ReleaseSummary(many=True)
    )
    def list(self, request: Request, agent_id: UUID) -> Response:
        """Newest first, without what is in them."""
        rows = self.get_queryset().filter(agent=_agent(agent_id)).defer("snapshot", "agent__draft").order_by("-number")
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(ReleaseSummary(page, many=True).data)

    @extend_schema(
        operation_id="releases_create",
        summary="Make a release",
        request=ReleaseFields,
        responses={201: ReleaseSerializer},
    )
    @idempotent
    def create(self, request: Request, agent_id: UUID) -> Response:
        """Immutable from then on, and a preview until it goes live. A part that isn't there is `release_invalid`."""
        agent = _agent(agent_id)
        fields = checked(ReleaseFields, request)
        message, test_cases = fields.pop("message"), fields.pop("test_cases")
        with transaction.atomic():
            parts = parts_named(agent=agent, names=PartNames(**fields))
            release = make_release(
                agent=agent, parts=parts, message=message, test_case_ids=test_cases, by=person(request)
            )
        return self.created(self.found(release.pk), basename="release")


@extend_schema(tags=["Releases"])
class ReleaseViewSet(Resource[Release]):
    """Releases by their ids."""

    serializer_class = ReleaseSerializer
    queryset = Release.objects.select_related("agent__live_release", "created_by")
    what = "release"
    permissions: ClassVar[Mapping[str, Permission]] = {
        "retrieve": Permission.AGENTS_READ,
        "diff": Permission.AGENTS_READ,
        "go_live": Permission.AGENTS_PUBLISH,
        "rollback": Permission.AGENTS_PUBLISH,
        "canary": Permission.AGENTS_PUBLISH,
        "end_canary": Permission.AGENTS_PUBLISH,
    }

    def permission_target(self) -> Model | None:
        """The release's agent, for whoever may do more with it than with others."""
        return Agent.objects.filter(releases__pk=self.kwargs["pk"]).first()

    @extend_schema(summary="Retrieve a release")
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """What is in it never changes; `serves` says whom it answers now, and the ETag follows that."""
        return self.shown(self.found(pk))

    @extend_schema(
        operation_id="releases_go_live",
        summary="Put a release live",
        parameters=[IF_MATCH],
        request=GoLiveFields,
        responses=ReleaseSerializer,
    )
    @action(detail=True, methods=["post"], url_path="go-live")
    def go_live(self, request: Request, pk: UUID) -> Response:
        """It answers all new conversations of its agent from now on. A canary is over with that."""
        fields = checked(GoLiveFields, request)
        with transaction.atomic():
            go_live(release=self.found_as_seen(request, pk), **fields)
        return self.shown(self.found(pk))

    @extend_schema(
        operation_id="releases_rollback",
        summary="Roll back to a release",
        parameters=[IF_MATCH],
        request=RollbackFields,
        responses={201: ReleaseSerializer},
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def rollback(self, request: Request, pk: UUID) -> Response:
        """A new release, the same as this one to the letter, is made and goes live."""
        fields = checked(RollbackFields, request)
        with transaction.atomic():
            release = roll_back(to=self.found_as_seen(request, pk), by=person(request), **fields)
        return self.created(self.found(release.pk))

    @extend_schema(
        operation_id="releases_canary",
        summary="Start or change a canary",
        parameters=[IF_MATCH],
        request=CanaryFields,
        responses=ReleaseSerializer,
    )
    @action(detail=True, methods=["put"])
    def canary(self, request: Request, pk: UUID) -> Response:
        """It answers a part of its agent's new conversations; the live release answers the others."""
        fields = checked(CanaryFields, request)
        with transaction.atomic():
            start_canary(release=self.found_as_seen(request, pk), **fields)
        return self.shown(self.found(pk))

    @extend_schema(
        operation_id="releases_end_canary",
        summary="End a canary",
        parameters=[IF_MATCH, CanaryEndFilters],
        responses={204: None},
    )
    @canary.mapping.delete
    def end_canary(self, request: Request, pk: UUID) -> Response:
        """The live release alone answers again. `not_canary` where this release isn't the canary."""
        withdraw = asked(CanaryEndFilters, request)["withdraw"]
        with transaction.atomic():
            release = self.found_as_seen(request, pk)
            end_canary(agent=release.agent, expected=release.pk, withdraw=withdraw)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        operation_id="releases_diff",
        summary="Compare releases",
        parameters=[ReleaseDiffFilters],
        responses=ReleaseDiffSerializer,
    )
    @action(detail=True, methods=["get"])
    def diff(self, request: Request, pk: UUID) -> Response:
        """From `against` to this release: words for prose, structure for the rest."""
        release = self.found(pk)
        against = asked(ReleaseDiffFilters, request).get("against")
        old = self.found(against) if against else compared_with(release)
        return Response(diff_response(release_changes(old, release), against=str(old.pk) if old else None))

    def found_as_seen(self, request: Request, pk: UUID) -> Release:
        """As any resource's; a release changes as its agent does, so that is what is locked."""
        Agent.objects.select_for_update(of=("self",), no_key=True).filter(releases__pk=pk).first()
        return super().found_as_seen(request, pk)


def _agent(agent_id: UUID) -> Agent:
    row = Agent.objects.filter(pk=agent_id).first()
    if row is None:
        raise NotFound("agent")
    return row
