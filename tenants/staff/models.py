"""People and what they may do. The tables stand in every schema: which people they hold follows from the scope."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.utils.functional import cached_property

from switchboard.kernel.ids import uuid7
from tenants.context import PUBLIC_SCHEMA, current_scope
from tenants.permissions import ROLE_PERMISSIONS, Permission
from tenants.permissions import Role as RoleName


class Role(models.TextChoices):
    """`tenants.permissions.Role`, as people read it."""

    OWNER = RoleName.OWNER.value, "Owner"
    BUILDER = RoleName.BUILDER.value, "Builder"
    SUPPORTER = RoleName.SUPPORTER.value, "Supporter"
    ANALYST = RoleName.ANALYST.value, "Analyst"
    VIEWER = RoleName.VIEWER.value, "Viewer"


class People(UserManager["User"]):
    """`manage.py createsuperuser` makes an operator, who in a tenant's schema would be an owner."""

    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **fields: Any
    ) -> User:
        return super().create_superuser(username, email, password, **{"role": Role.OWNER, **fields})


class User(AbstractUser):
    """In a tenant's schema a member of its staff; in the public schema an operator, who may all that operators may."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    role = models.CharField(max_length=12, choices=Role, default=Role.VIEWER)

    objects: ClassVar[People] = People()

    class Meta(AbstractUser.Meta):
        swappable = "AUTH_USER_MODEL"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Whose person this is was settled where the row was read; a scope entered since changes nothing about it.
        scope = current_scope()
        self._is_operator = scope is not None and scope.schema_name == PUBLIC_SCHEMA

    @property
    def is_operator(self) -> bool:
        """Whether this person works for the platform rather than for a tenant."""
        return self._is_operator

    def may(self, permission: Permission, on: models.Model | None) -> bool:
        """By their role, or by a grant on the row or on what the row belongs to (`permission_parent`).

        Grants add and never take away. They are read once for each instance, which is once a request.
        """
        if not (self.is_active and self.is_staff):
            return False
        if self._is_operator:
            return True
        if permission in ROLE_PERMISSIONS[RoleName(self.role)]:
            return True
        while on is not None and self._granted:
            granted = self._granted.get((on._meta.label_lower, on.pk), frozenset())
            if permission in granted:
                return True
            on = getattr(on, "permission_parent", None)
        return False

    @property
    def has_grants(self) -> bool:
        """Whether they may anything on single objects that they may not elsewhere."""
        return bool(self._granted)

    @cached_property
    def _granted(self) -> dict[tuple[str, uuid.UUID], frozenset[Permission]]:
        granted: dict[tuple[str, uuid.UUID], frozenset[Permission]] = {}
        for object_type, object_id, role in self.grants.values_list("object_type", "object_id", "role"):
            key = (object_type, object_id)
            granted[key] = granted.get(key, frozenset()) | ROLE_PERMISSIONS[RoleName(role)]
        return granted


class ObjectGrant(models.Model):
    """A role that a member has on one object only, such as builder of one agent."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    member = models.ForeignKey(User, on_delete=models.CASCADE, related_name="grants")
    object_type = models.CharField(max_length=60, help_text="A model's label, such as agents.agent.")
    object_id = models.UUIDField()
    role = models.CharField(max_length=12, choices=Role)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["member", "object_type", "object_id", "role"], name="one_grant_each")
        ]
        indexes = [models.Index(fields=["object_type", "object_id"], name="grants_of_object")]

    def __str__(self) -> str:
        return f"{self.role} of {self.object_type} {self.object_id}"
