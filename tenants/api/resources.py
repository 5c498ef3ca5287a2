"""A view set of the control plane whose actions can ask for more than their declared permission."""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Model

from switchboard.kernel import resources
from tenants.permissions import Permission, require

M = TypeVar("M", bound=Model)


class Resource(resources.Resource[M]):
    """The kernel's, with `self.require`."""

    def require(self, permission: Permission, *, on: Model | None = None) -> None:
        """Ask for a permission beyond the action's own.

        Raises:
            Problem: 403 `forbidden`.
        """
        require(self.request.user, permission, on=on)
