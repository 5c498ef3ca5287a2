"""People and what they may do. The tables stand in every schema: which people they hold follows from the scope."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar, Final

from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property

from switchboard.kernel.encryption import EncryptedTextField
from switchboard.kernel.ids import uuid7
from switchboard.kernel.memory import Memory
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
    second_factor_since = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When they set up codes of an authenticator app."
    )

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
        if not (self.is_active and self.is_staff) or self.lacks_second_factor:
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
    def lacks_second_factor(self) -> bool:
        """Whether they have yet to set up the second factor that is asked of all: until then they may nothing.

        Who has no password of ours signs in elsewhere, and what is asked there is not ours to say.
        """
        return self.second_factor_since is None and second_factor_rule() and self.has_usable_password()

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


class SignInPolicy(models.Model):
    """What is asked of everybody who signs in here. One row, or none for what is usual."""

    THE_ONE: Final = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=THE_ONE, editable=False)
    require_second_factor = models.BooleanField(
        default=False, help_text="Whoever signs in with a password also needs the code of an authenticator app."
    )

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_sign_in_policy")]

    def __str__(self) -> str:
        return "Sign-in"


def _rule(schema_name: str) -> bool:
    return SignInPolicy.objects.filter(require_second_factor=True).exists()


rules: Final = Memory(_rule, seconds=3.0)


def second_factor_rule() -> bool:
    """Whether a second factor is asked of all in the scope in force; remembered for three seconds."""
    scope = current_scope()
    return scope is not None and rules.find(scope.schema_name)


class Invitation(models.Model):
    """A way in for somebody who isn't a member yet. The link holds the token, of which only a digest is kept."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField()
    role = models.CharField(max_length=12, choices=Role, default=Role.VIEWER)
    token_digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["email"],
                condition=models.Q(accepted_at=None, revoked_at=None),
                name="one_open_invitation_per_address",
            )
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def is_open(self) -> bool:
        return self.accepted_at is None and self.revoked_at is None and self.expires_at > timezone.now()


class SsoConnection(models.Model):
    """An OpenID Connect provider whose people may sign in here."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=60, unique=True, help_text="On the button: “Sign in with …”.")
    issuer = models.CharField(max_length=300, help_text="The provider's issuer URL, as its discovery document says it.")
    client_id = models.CharField("client ID", max_length=300)
    client_secret = EncryptedTextField()
    email_domains = ArrayField(
        models.CharField(max_length=253), help_text="Only people with a verified address of these domains may sign in."
    )
    new_member_role = models.CharField(
        max_length=12,
        choices=Role,
        default=Role.VIEWER,
        help_text="What somebody becomes who signs in for the first time.",
    )
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        verbose_name = "single sign-on connection"

    def __str__(self) -> str:
        return self.name


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
