"""What must be found before the tenant is known: all of this lives in the public schema."""

from __future__ import annotations

import math
import re
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django_tenants.models import DomainMixin, TenantMixin

from switchboard.kernel.encryption import EncryptedTextField
from switchboard.kernel.ids import uuid7
from tenants.limits import LIMITS, limits_in, notes_in
from tenants.permissions import OPERATORS_ONLY, PLATFORM_SCOPES, Permission

_KNOWN_SCOPES = frozenset(permission.value for permission in Permission)
_OPERATORS_SCOPES = sorted(scope.value for scope in OPERATORS_ONLY)
_PLATFORM_SCOPES = sorted(scope.value for scope in PLATFORM_SCOPES)

valid_slug = RegexValidator(
    r"^[a-z][a-z0-9_]{1,39}\Z", "Use 2 to 40 lower-case letters, digits and _, beginning with a letter."
)


valid_tier = RegexValidator(
    r"^[a-z][a-z0-9_-]{0,39}\Z", "Use 1 to 40 lower-case letters, digits, - and _, beginning with a letter."
)
_METADATA_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}")
MOST_METADATA = 50
LONGEST_METADATA = 500


def valid_metadata(value: Any) -> None:
    """A JSON object of scalars, small enough to be kept in every process. Raises Django's ValidationError."""
    if not isinstance(value, dict):
        raise ValidationError("This is an object of names and values.")
    if len(value.keys() - LIMITS.keys()) > MOST_METADATA:
        raise ValidationError(f"{MOST_METADATA} names are the most.")
    for name, one in value.items():
        if not _METADATA_NAME.fullmatch(name):
            raise ValidationError(f"“{name[:80]}” is no name: use 1 to 60 letters, digits, - and _.")
        if not isinstance(one, str | int | float | bool | None):
            raise ValidationError(f"“{name}” must be text, a number, true, false or null.")
        if len(str(one)) > LONGEST_METADATA or not _is_storable(one):
            raise ValidationError(f"“{name}” is longer than {LONGEST_METADATA} characters, or can't be stored.")


def _is_storable(value: str | int | float | None) -> bool:
    """PostgreSQL has no NUL, no half of a surrogate pair and, in JSON, no infinity."""
    if isinstance(value, float):
        return math.isfinite(value)
    text = str(value)
    return "\x00" not in text and text.encode(errors="ignore").decode() == text


class Tenant(TenantMixin):  # type: ignore[misc]
    """A customer organisation: one schema, one or more hostnames."""

    class Status(models.TextChoices):
        PREPARING = "preparing"
        READY = "ready"
        SUSPENDED = "suspended"
        DELETED = "deleted"

    # provision.create_tenant() makes the schema, from the template; a bare save() must not.
    auto_create_schema = False
    auto_drop_schema = False

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=120)
    slug = models.CharField(max_length=40, unique=True, validators=[valid_slug])
    status = models.CharField(max_length=12, choices=Status, default=Status.PREPARING)
    migrated_to = models.CharField(max_length=64, blank=True, help_text="Digest of the migrations its schema has.")
    service_tier = models.CharField(
        max_length=40,
        default="standard",
        validators=[valid_tier],
        help_text="What it pays for, such as free, standard or premium; flags may ask for it.",
    )
    metadata = models.JSONField(
        default=dict,
        blank=True,
        validators=[valid_metadata],
        help_text="Names and plain values of the operators' own, and the limits they set; flags may ask for them.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    was_suspended = models.BooleanField(default=False, help_text="When it was deleted; a restored tenant is again.")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def notes(self) -> dict[str, Any]:
        """The metadata without the limits."""
        return notes_in(self.metadata)

    @property
    def limits(self) -> dict[str, int | None]:
        """Every limit as the operators set it; None where the installation's holds."""
        return limits_in(self.metadata)


class Domain(DomainMixin):  # type: ignore[misc]
    """A hostname, without port, that leads to a tenant."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    def __str__(self) -> str:
        return str(self.domain)


class SchemaTemplate(models.Model):
    """The SQL that makes a new tenant's schema: a dump of the template schema, kept for the migrations it stands
    for.
    """

    digest = models.CharField(max_length=64, primary_key=True)
    sql = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)


class ApiKey(models.Model):
    """A program's key: a tenant's, or the platform's own (no tenant). It is shown once.

    Of a bearer key only a hash is kept. A signing key never travels, so its secret is kept, encrypted, to check
    signatures with.
    """

    class Kind(models.TextChoices):
        BEARER = "bearer"
        SIGNING = "signing"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="api_keys", null=True, blank=True)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.BEARER)
    name = models.CharField(max_length=80)
    scopes = ArrayField(models.CharField(max_length=40), default=list, help_text="The permissions it has.")
    prefix = models.CharField(max_length=16, unique=True)
    digest = models.CharField(max_length=64, blank=True)
    secret = EncryptedTextField(blank=True, default="", help_text="Of a signing key.")
    replaced_by = models.OneToOneField(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="replaces",
        help_text="The key that a rotation made.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = "API key"
        constraints = [
            # A tenant's key never reaches the platform's own interface, and a platform key nothing of a tenant's.
            models.CheckConstraint(
                name="api_key_scopes_of_its_kind",
                condition=(Q(tenant=None) & Q(scopes__contained_by=_PLATFORM_SCOPES))
                | (~Q(tenant=None) & ~Q(scopes__overlap=_OPERATORS_SCOPES)),
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def permissions(self) -> frozenset[Permission]:
        """Its scopes. One that this version doesn't know any more gives nothing."""
        return frozenset(Permission(scope) for scope in self.scopes if scope in _KNOWN_SCOPES)

    @property
    def is_usable(self) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())


class SigningKey(models.Model):
    """A key that signs the platform's tokens for end users, or did, or will. Its public half is published."""

    class State(models.TextChoices):
        NEXT = "next"
        ACTIVE = "active"
        RETIRED = "retired"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kid = models.CharField(max_length=40, unique=True)
    private_key = EncryptedTextField()
    public_jwk = models.JSONField()
    state = models.CharField(max_length=8, choices=State)
    created_at = models.DateTimeField(auto_now_add=True)
    activated_at = models.DateTimeField(null=True, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=~Q(state="retired"), name="one_active_and_one_next_signing_key"
            )
        ]

    def __str__(self) -> str:
        return self.kid


class WorkLease(models.Model):
    """Accepted work that isn't finished, whoever's it is: a turn being answered, a document being read.

    Opened in the transaction that accepts the work and closed in the one that finishes it, so a process that dies
    leaves its work here, and a look at this one table finds it, however many tenants there are.
    """

    kind = models.CharField(max_length=20)
    object_id = models.UUIDField()
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    owner = models.CharField(max_length=80, blank=True, help_text="The process that works on it.")
    until = models.DateTimeField(help_text="When another may take it over, unless the owner renews.")
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "object_id"], name="one_lease_per_work")]
        indexes = [models.Index(fields=["until"]), models.Index(fields=["owner"])]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}"


def schema_name_for(slug: str) -> str:
    """The schema of the tenant with this slug."""
    return f"t_{slug}"
