"""The second factor: noted beside the member when it is set up, and taken away by an owner when a phone is lost."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.utils import timezone

from tenants.actor import doing
from tenants.staff.models import SignInPolicy, User, rules


def note_second_factor(*, member: User) -> None:
    """Write down beside the member whether they have one: what pages and rules ask, and the audit trail keeps."""
    with transaction.atomic():
        row = User.objects.select_for_update().get(pk=member.pk)
        has_one = Authenticator.objects.filter(user=row, type=Authenticator.Type.TOTP).exists()
        if has_one == (row.second_factor_since is not None):
            return
        row.second_factor_since = timezone.now() if has_one else None
        with doing("member.second_factor_added" if has_one else "member.second_factor_removed"):
            row.save(update_fields=["second_factor_since"])


def reset_second_factor(*, member: User, message: str = "") -> None:
    """Take a member's second factor away, recovery codes included: they sign in with their password, and set up anew.

    Args:
        message: why, for the audit trail.
    """
    with transaction.atomic(), doing("member.second_factor_reset", message):
        row = User.objects.select_for_update().get(pk=member.pk)
        Authenticator.objects.filter(user=row).delete()
        row.second_factor_since = None
        row.save(update_fields=["second_factor_since"])


def require_second_factor(*, required: bool) -> None:
    """Ask a second factor of everybody who signs in with a password, or stop asking."""
    with doing("sign_in_policy.changed"):
        SignInPolicy.objects.update_or_create(pk=SignInPolicy.THE_ONE, defaults={"require_second_factor": required})
    rules.forget()


def on_change(sender: Any, user: User, **_: Any) -> None:
    """allauth's signals of an authenticator added or removed."""
    note_second_factor(member=user)
