"""Who is signed in, where Django's own middleware doesn't look: on the data plane and over websockets."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest

from tenants.staff.models import User

_SessionStore: Final = import_module(settings.SESSION_ENGINE).SessionStore


def member_of(session_key: str | None) -> User | None:
    """The member of staff, in the scope in force, whose session this is; None for anybody else's, or nobody's.

    Read from the database each time: who has left or signed out since is found out.
    """
    if not session_key:
        return None
    request = HttpRequest()
    request.session = _SessionStore(session_key)
    user = get_user(request)
    return user if isinstance(user, User) and user.is_active and user.is_staff else None
