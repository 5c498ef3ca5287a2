"""Members of staff: behind a request, and as they are shown."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from tenants.staff.models import User


@extend_schema_field({"type": ["string", "null"]})
class PersonField(serializers.StringRelatedField[User]):
    """A member's name; null where a program did it."""


def person(request: Request) -> User | None:
    """Who is written down as having made something: a member of staff, or nobody for a program."""
    caller: object = request.user
    return caller if isinstance(caller, User) else None
