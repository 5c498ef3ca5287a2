"""The user model. Its table stands in every schema: which people it holds follows from the scope."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models

from switchboard.kernel.ids import uuid7


class User(AbstractUser):
    """In a tenant's schema a member of its staff; in the public schema an operator."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    class Meta(AbstractUser.Meta):
        swappable = "AUTH_USER_MODEL"
