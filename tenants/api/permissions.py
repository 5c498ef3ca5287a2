"""What a caller may do: a program with a key everything of its tenant, a person what their admin permissions say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AbstractBaseUser
from rest_framework.permissions import DjangoModelPermissions
from rest_framework.request import Request

from tenants.api.authentication import ApiKeyCaller

if TYPE_CHECKING:
    from rest_framework.views import APIView  # it imports this module in turn, as the default permission


class StaffOrKey(DjangoModelPermissions):
    """The REST API and the admin ask for the same permissions of the same models."""

    perms_map = {
        **DjangoModelPermissions.perms_map,
        "GET": ["%(app_label)s.view_%(model_name)s"],
        "HEAD": ["%(app_label)s.view_%(model_name)s"],
    }

    def has_permission(self, request: Request, view: APIView) -> bool:
        caller: Any = request.user
        if isinstance(caller, ApiKeyCaller):
            return True
        if not isinstance(caller, AbstractBaseUser) or not getattr(caller, "is_staff", False):
            return False
        return bool(super().has_permission(request, view))
