"""The REST API's gate: each view set says which permission each of its actions asks for.

    permissions: ClassVar[Mapping[str, Permission]] = {"list": Permission.AGENTS_READ}

What isn't declared is refused, to everybody. Someone who has the permission on single objects only is let through to
those: by default to the row of the view set that the address names; a view set under another's address says which row
counts in `permission_target`. What an action needs beyond that it asks for itself: `self.require(permission, on=row)`
of `tenants.api.resources.Resource`, or `tenants.permissions.require`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Model
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from tenants.permissions import Permission, allows
from tenants.staff.models import User

if TYPE_CHECKING:
    from rest_framework.views import APIView  # it imports this module in turn, as the default permission


class DeclaredPermissions(BasePermission):
    """Whoever calls has the permission that the view set declares for the action, at all or on the row it is about."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        caller: Any = request.user
        action = getattr(view, "action", None)
        if caller is None or not getattr(caller, "is_authenticated", False):
            return False
        if action is None or action == "metadata":
            return True  # a method that there isn't: DRF says so next
        permission: Permission | None = getattr(view, "permissions", {}).get(action)
        if permission is None:
            return False
        if allows(caller, permission):
            return True
        if not isinstance(caller, User) or not caller.has_grants:
            return False
        row = _target(view)
        return row is not None and allows(caller, permission, on=row)


def _target(view: Any) -> Model | None:
    """The row that a request is about, for whoever may more there than elsewhere."""
    declared = getattr(view, "permission_target", None)
    if declared is not None:
        row: Model | None = declared()
        return row
    pk = view.kwargs.get("pk")
    return view.get_queryset().filter(pk=pk).first() if pk is not None else None
