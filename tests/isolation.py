"""What every feature must show: of another tenant's rows nothing is seen, not even that they are there."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

Address = Callable[[object], str]


def assert_hidden(client: Any, method: str, address: Address, foreign_id: object, body: Any = None) -> None:
    """A caller gets for another tenant's id exactly what it gets for one that never was: a 404.

    Args:
        client: a caller of the wrong tenant; anything with Django's test client's methods.
        method: lower case.
        address: from an id to a path.
        foreign_id: of a row that the other tenant has.
        body: sent as JSON.
    """
    absent = _ask(client, method, address(uuid.uuid4()), body)
    foreign = _ask(client, method, address(foreign_id), body)
    assert foreign.status_code == 404, f"{method} {address(foreign_id)} answered {foreign.status_code}"
    assert (foreign.status_code, foreign.content) == (absent.status_code, absent.content)
    assert _headers(foreign) == _headers(absent)


def assert_not_listed(client: Any, path: str, *foreign_ids: object) -> None:
    """A list shows none of another tenant's rows, though it answers."""
    response = client.get(path)
    assert response.status_code == 200
    text = response.content.decode()
    for foreign_id in foreign_ids:
        assert str(foreign_id) not in text, f"{path} shows {foreign_id}, which is another tenant's"


def assert_problem(response: Any, status: int, code: str, *, field: str | None = None) -> dict[str, Any]:
    """A refusal in the one shape; returns its document."""
    assert response.status_code == status, response.content[:500]
    assert response["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["code"] == code
    assert problem["status"] == status
    assert problem["detail"]
    if field is not None:
        assert field in {error["field"] for error in problem["errors"]}
    return problem


def _ask(client: Any, method: str, path: str, body: Any) -> Any:
    ask = getattr(client, method)
    return ask(path) if body is None else ask(path, json.dumps(body), content_type="application/json")


def _headers(response: Any) -> dict[str, str]:
    return {name: value for name, value in response.items() if name not in {"Date", "Content-Length", "X-Request-Id"}}
