"""Test cases and their runs over REST. Thin: the rules are in agents.domain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from django.db.models import Model, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.people import person
from agents.api.test_serializers import (
    CaseChanges,
    CaseFields,
    CaseFilters,
    CaseSerializer,
    ComparisonSerializer,
    ResultSerializer,
    RunFilters,
    RunSerializer,
)
from agents.comparison import compare, run_before
from agents.domain.test_cases import create_test_case, delete_test_case, restore_test_case, update_test_case
from agents.domain.test_runs import cancel_test_run, start_test_run
from agents.models import Agent, Release, TestCase, TestResult, TestRun
from switchboard.kernel.idempotency import idempotent
from switchboard.kernel.problems import Invalid, NotFound
from switchboard.kernel.resources import asked, checked
from tenants.api.resources import Resource
from tenants.permissions import Permission


@extend_schema(tags=["Tests"])
class TestCaseViewSet(mixins.ListModelMixin, Resource[TestCase]):
    """Conversations that are held with a release to see whether it does what it should."""

    serializer_class = CaseSerializer
    queryset = TestCase.objects.all()
    what = "test case"
    permissions: ClassVar[Mapping[str, Permission]] = {
        "list": Permission.AGENTS_READ,
        "retrieve": Permission.AGENTS_READ,
        "create": Permission.AGENTS_WRITE,
        "partial_update": Permission.AGENTS_WRITE,
        "destroy": Permission.AGENTS_WRITE,
        "restore": Permission.AGENTS_WRITE,
    }

    def permission_target(self) -> Model | None:
        """The case's agent, for whoever may do more with it than with others."""
        if "pk" in self.kwargs:
            return Agent.objects.filter(test_cases__pk=self.kwargs["pk"]).first()
        return _agent_in(self.request) if self.action == "create" else None

    def get_queryset(self) -> QuerySet[TestCase]:
        rows = super().get_queryset()
        # What was deleted is there for `restore` and, if asked for, in the list.
        return rows if self.action in {"list", "restore"} else rows.filter(deleted_at=None)

    @extend_schema(summary="List test cases", parameters=[CaseFilters])
    def list(self, request: Request) -> Response:
        """Newest first; of one agent, with one tag, if asked."""
        wanted = asked(CaseFilters, request)
        rows = self.get_queryset().filter(deleted_at__isnull=not wanted["deleted"])
        if "agent" in wanted:
            rows = rows.filter(agent_id=wanted["agent"])
        if "tag" in wanted:
            rows = rows.filter(tags__contains=[wanted["tag"]])
        return self.listed(rows)

    @extend_schema(summary="Create a test case", request=CaseFields, responses={201: CaseSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Releases made from now on carry it, unless it isn't `enabled`."""
        fields = checked(CaseFields, request)
        agent = Agent.objects.filter(pk=fields.pop("agent")).first()
        if agent is None:
            raise Invalid("unknown_agent", "There is no such agent.", field="agent")
        return self.created(create_test_case(agent=agent, by=person(request), **fields))

    @extend_schema(summary="Retrieve a test case")
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One test case; its ETag goes into If-Match of a change."""
        return self.shown(self.found(pk))

    @extend_schema(summary="Change a test case", request=CaseChanges, responses=CaseSerializer)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Fields that are left out stay as they are. With If-Match, a change made meanwhile is not overwritten.

        Results keep the case as it was when it was run.
        """
        changes = checked(CaseChanges, request, partial=True)
        with transaction.atomic():
            update_test_case(case=self.found_as_seen(request, pk), by=person(request), **changes)
        return self.shown(self.found(pk))

    @extend_schema(summary="Delete a test case", responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """It is run no more; results that it has stay. It can be restored."""
        with transaction.atomic():
            delete_test_case(case=self.found_as_seen(request, pk))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(summary="Restore a test case", request=None, responses=CaseSerializer)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: UUID) -> Response:
        """A deleted test case comes back as it was."""
        return self.shown(restore_test_case(case=self.found(pk)))


@extend_schema(tags=["Tests"])
class TestRunViewSet(mixins.ListModelMixin, Resource[TestRun]):
    """Runs of the tests that a release carries."""

    serializer_class = RunSerializer
    queryset = TestRun.objects.select_related("started_by")
    what = "test run"
    permissions: ClassVar[Mapping[str, Permission]] = {
        "list": Permission.AGENTS_READ,
        "retrieve": Permission.AGENTS_READ,
        "results": Permission.AGENTS_READ,
        "compare": Permission.AGENTS_READ,
        "start": Permission.AGENTS_WRITE,
        "cancel": Permission.AGENTS_WRITE,
    }

    def permission_target(self) -> Model | None:
        """The agent, for whoever may do more with it than with others."""
        if "pk" not in self.kwargs:
            return None
        run_or_release = "releases__pk" if self.action == "start" else "releases__test_runs__pk"
        return Agent.objects.filter(**{run_or_release: self.kwargs["pk"]}).first()

    @extend_schema(summary="List test runs", parameters=[RunFilters])
    def list(self, request: Request) -> Response:
        """Newest first; of one release, in one state, if asked."""
        wanted = asked(RunFilters, request)
        rows = self.get_queryset().filter(**wanted)
        return self.listed(rows)

    @extend_schema(summary="Run a release's tests", request=None, responses={202: RunSerializer})
    @idempotent
    def start(self, request: Request, pk: UUID) -> Response:
        """Starts in the background: follow `status` and `progress` at `Location`. While a run of the release is under
        way, that one is the answer. `no_test_cases` where the release carries none.
        """
        release = Release.objects.select_related("agent").filter(pk=pk).first()
        if release is None:
            raise NotFound("release")
        run = start_test_run(release=release, by=person(request))
        return self.created(run, status=status.HTTP_202_ACCEPTED, basename="test-run")

    @extend_schema(summary="Retrieve a test run")
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One run with its state, its progress and its counts."""
        return self.shown(self.found(pk))

    @extend_schema(summary="Cancel a test run", request=None, responses=RunSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: UUID) -> Response:
        """What is done stays; `test_run_ended` where all of it is."""
        cancel_test_run(run=self.found(pk))
        return self.shown(self.found(pk))

    @extend_schema(summary="List a test run's results", responses=ResultSerializer(many=True))
    @action(detail=True, methods=["get"], serializer_class=ResultSerializer)
    def results(self, request: Request, pk: UUID) -> Response:
        """What each case came to, with the case as it was run, in the order of the release."""
        run = TestRun.objects.filter(pk=pk).first()
        if run is None:
            raise NotFound(self.what)
        rows: QuerySet[Any] = TestResult.objects.filter(run=run).order_by("position")
        return self.listed(rows)

    @extend_schema(summary="Compare a test run with the release before", responses=ComparisonSerializer)
    @action(detail=True, methods=["get"])
    def compare(self, request: Request, pk: UUID) -> Response:
        """Case by case, beside the newest run of the nearest earlier release that was tested; `before` is null where
        there is none.
        """
        run = TestRun.objects.select_related("release").filter(pk=pk).first()
        if run is None:
            raise NotFound(self.what)
        return Response(ComparisonSerializer(compare(run, run_before(run))).data)


def _agent_in(request: Request) -> Agent | None:
    """The agent that a body names, if it names one."""
    named = request.data.get("agent") if isinstance(request.data, dict) else None
    try:
        return Agent.objects.filter(pk=UUID(str(named))).first()
    except ValueError:
        return None
