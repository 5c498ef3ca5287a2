"""What is read of secrets: their values, for those that use them."""

from __future__ import annotations

from tenants.vault.models import Secret


class SecretMissing(LookupError):
    """There is no secret of this name."""


def secret_value(name: str) -> str:
    """A secret, for use at once: it belongs in no log, no answer and no cache.

    Raises:
        SecretMissing: the tenant in force has none of this name.
    """
    value = Secret.objects.filter(name=name).values_list("value", flat=True).first()
    if value is None:
        raise SecretMissing(f"There is no secret “{name}”.")
    return value


def is_secret(name: str) -> bool:
    """Whether the tenant in force has a secret of this name."""
    return Secret.objects.filter(name=name).exists()
