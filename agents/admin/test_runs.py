"""The page of a release's tests: run them, watch them, read what was said, compare with the release before."""

from __future__ import annotations

import uuid
from typing import Any, Final, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST, require_safe

from agents.comparison import Comparison, compare, run_before
from agents.domain.test_gate import cases_to_run
from agents.domain.test_runs import cancel_test_run, start_test_run
from agents.models import Release, TestResult, TestRun
from switchboard.kernel.problems import Problem
from switchboard.model_admin import refused
from tenants.permissions import Permission

_RUNS_SHOWN: Final = 10
STYLES: Final = {
    "passed": "sb-good",
    "failed": "sb-bad",
    "error": "sb-bad",
    "skipped": "sb-busy",
    "running": "sb-busy",
}
WORDS: Final = {
    "queued": "Waiting",
    "running": "Running",
    "passed": "Passed",
    "failed": "Failed",
    "error": "Couldn't be judged",
    "skipped": "Needs a judge",
    "cancelled": "Cancelled",
}
_RUN_WORDS: Final = {**WORDS, "passed": "Green", "error": "Came to nothing"}


class RunPages:
    """Mixed into the admin of test cases."""

    def run_urls(self: Any) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        at = "release/<uuid:release>/"
        return [
            path(at, wrap(require_safe(self.release_tests_view)), name="agents_release_tests"),
            path(f"{at}run/", wrap(require_POST(self.run_view)), name="agents_release_tests_run"),
            path("runs/<uuid:run>/progress/", wrap(require_safe(self.progress_view)), name="agents_testrun_progress"),
            path("runs/<uuid:run>/cancel/", wrap(require_POST(self.cancel_view)), name="agents_testrun_cancel"),
        ]

    def release_tests_view(self: Any, request: HttpRequest, release: uuid.UUID) -> HttpResponse:
        row = self._release(request, release, self.view_permission)
        runs = list(TestRun.objects.filter(release=row).select_related("started_by").order_by("-id")[:_RUNS_SHOWN])
        run = _chosen(request, row, runs)
        comparison = compare(run, run_before(run)) if run else None
        cases = cases_to_run(row)
        return cast(
            HttpResponse,
            self.page(
                request,
                "admin/agents/testrun/page.html",
                title=f"Tests of {row}",
                is_fullwidth="1",
                release=row,
                agent=row.agent,
                run=run,
                state=state_of(run) if run else None,
                results=_results(run, comparison) if run else (),
                cases=cases,
                comparison=comparison,
                groups=_groups(comparison),
                runs=[(one, state_of(one)) for one in runs] if len(runs) > 1 else (),
                may_run=self._allows(request, Permission.AGENTS_WRITE, row.agent),
                release_url=reverse("admin:agents_agent_release", args=[row.agent_id, row.pk]),
            ),
        )

    def run_view(self: Any, request: HttpRequest, release: uuid.UUID) -> HttpResponse:
        row = self._release(request, release, Permission.AGENTS_WRITE)
        address = _address(row)
        try:
            start_test_run(release=row, by=cast(Any, request.user))
        except Problem as problem:
            return refused(request, problem, to=address)
        return HttpResponseRedirect(address)

    def cancel_view(self: Any, request: HttpRequest, run: uuid.UUID) -> HttpResponse:
        row = self._run(request, run, Permission.AGENTS_WRITE)
        address = _address(row.release)
        try:
            cancel_test_run(run=row)
        except Problem as problem:
            return refused(request, problem, to=address)
        messages.success(request, "The run is cancelled. What was done stays below.")
        return HttpResponseRedirect(address)

    def progress_view(self: Any, request: HttpRequest, run: uuid.UUID) -> HttpResponse:
        """Where a run stands: polled by its page while it runs."""
        row = self._run(request, run, self.view_permission)
        results = TestResult.objects.filter(run=row).values_list("pk", "status")
        told = [{"id": str(pk), "label": WORDS[status], "style": STYLES.get(status, "")} for pk, status in results]
        return JsonResponse({**state_of(row), "results": told}, headers={"Cache-Control": "no-store"})

    def _release(self: Any, request: HttpRequest, pk: uuid.UUID, permission: Permission) -> Release:
        row = Release.objects.select_related("agent").filter(pk=pk).first()
        self.require(request, permission, on=row.agent if row else None)
        if row is None:
            raise Http404
        return row

    def _run(self: Any, request: HttpRequest, pk: uuid.UUID, permission: Permission) -> TestRun:
        row = TestRun.objects.select_related("release__agent").filter(pk=pk).first()
        self.require(request, permission, on=row.release.agent if row else None)
        if row is None:
            raise Http404
        return row


def state_of(run: TestRun) -> dict[str, Any]:
    """Where a run stands, as its page shows it."""
    return {
        "settled": not run.is_open,
        "label": _RUN_WORDS[run.status],
        "style": STYLES.get(run.status, ""),
        "progress": run.progress,
        "done": run.done,
        "total": run.total,
    }


def _chosen(request: HttpRequest, release: Release, runs: list[TestRun]) -> TestRun | None:
    """The run that the address names, else the newest."""
    wanted = request.GET.get("run")
    if not wanted:
        return runs[0] if runs else None
    try:
        found = TestRun.objects.select_related("started_by").filter(release=release, pk=uuid.UUID(wanted)).first()
    except ValueError:
        found = None
    if found is None:
        raise Http404
    return found


def _results(run: TestRun, comparison: Comparison | None) -> list[dict[str, Any]]:
    words = comparison.by_case() if comparison else {}
    return [
        {
            "row": row,
            "label": WORDS[row.status],
            "style": STYLES.get(row.status, ""),
            "seconds": row.duration_ms / 1000,
            "word": words.get(row.case_id, ""),
            "is_open": row.status in {"failed", "error", "skipped"},
        }
        for row in run.results.all()
    ]


def _groups(comparison: Comparison | None) -> list[tuple[str, str, list[str]]]:
    """What differs from the release before: a word, its colour, and the names of the cases."""
    if comparison is None or comparison.before is None:
        return []
    told = [
        ("Newly failing", "sb-bad", comparison.newly_failing),
        ("Newly passing", "sb-good", comparison.newly_passing),
        ("Still failing", "sb-bad", comparison.still_failing),
        ("New", "", comparison.new),
        ("No longer there", "", comparison.removed),
    ]
    return [(word, style, [change.name for change in changes]) for word, style, changes in told if changes]


def _address(release: Release) -> str:
    return reverse("admin:agents_release_tests", args=[release.pk])
