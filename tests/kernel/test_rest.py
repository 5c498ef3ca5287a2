"""Exceptions as problems."""

from types import SimpleNamespace

from django.db import InterfaceError, OperationalError, ProgrammingError
from django.test import RequestFactory

from switchboard.kernel.rest import as_problem
from tenants import directory
from tenants.middleware import TenantMiddleware


def test_a_database_that_is_away_is_said_to_be_so_and_not_why():
    for error in (OperationalError("connection to 10.0.0.7 refused"), InterfaceError("the connection is closed")):
        problem = as_problem(error)
        assert problem
        assert (problem.status, problem.code, problem.headers["Retry-After"]) == (503, "database_unavailable", "2")
        assert "10.0.0.7" not in problem.detail


def test_a_fault_of_ours_is_no_outage():
    assert as_problem(ProgrammingError("syntax error")) is None


def test_a_request_whose_tenant_cannot_be_looked_up_is_told_to_come_back(monkeypatch):
    def away(name):
        raise OperationalError("connection refused")

    monkeypatch.setattr(directory, "hosts", SimpleNamespace(find=away, forget=lambda: None))
    middleware = TenantMiddleware(lambda request: None)

    response = middleware(RequestFactory().get("/admin/", headers={"host": "harbour.localhost"}))

    assert response.status_code == 503
    assert response["Content-Type"] == "application/problem+json"
