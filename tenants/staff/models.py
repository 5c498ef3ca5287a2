"""The user model. Its table stands in every schema: which people it holds follows from the scope."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """In a tenant's schema a member of its staff; in the public schema an operator."""

    class Meta(AbstractUser.Meta):
        swappable = "AUTH_USER_MODEL"
