"""Who may call the data plane: a program with an API key, or a signed-in member of staff (the Playground)."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from ninja.utils import check_csrf

from switchboard.kernel.database import OUTAGES, in_database
from switchboard.kernel.problems import Problem
from tenants.api.authentication import ApiKeyCaller, key_of
from tenants.middleware import admit_async, credentials
from tenants.staff.models import User
from tenants.staff.sessions import member_of

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class NotSignedIn(Problem):
    def __init__(self) -> None:
        super().__init__(
            "not_authenticated",
            "Send `Authorization: Bearer KEY`.",
            status=401,
            headers={"WWW-Authenticate": 'Bearer realm="switchboard"'},
        )


async def caller(request: HttpRequest) -> ApiKeyCaller | User:
    """The caller, or a 401.

    Raises:
        Problem: `not_authenticated`, `csrf_failed`.
    """
    key = key_of(request)
    if key is not None:
        return ApiKeyCaller(key)
    session_key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
    tenant: Any = getattr(request, "tenant", None)
    if not session_key or tenant is None or tenant.is_public:
        raise NotSignedIn
    if request.method not in _SAFE and check_csrf(request, caller):
        raise Problem("csrf_failed", "Send the CSRF token in X-CSRFToken.", status=403)
    user = await in_database(member_of, session_key)
    if user is None:
        raise NotSignedIn
    return user


async def still_admitted(request: HttpRequest) -> bool:
    """Whether whoever sent a request, and still hears its answer, would be let in now. A database that is away turns
    nobody out.
    """
    try:
        await admit_async(*credentials(request))
        if key_of(request) is not None:
            return True
        return await in_database(member_of, request.COOKIES.get(settings.SESSION_COOKIE_NAME)) is not None
    except OUTAGES:
        return True
    except Problem:
        return False
