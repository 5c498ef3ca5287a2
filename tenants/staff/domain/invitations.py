"""Invitations: a link by mail that makes somebody a member, once, within a week."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from typing import Final

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from switchboard.kernel.problems import Conflict, Invalid, Problem
from tenants.actor import doing
from tenants.context import current_scope
from tenants.staff import mail
from tenants.staff.domain.members import check_role, create_member
from tenants.staff.models import Invitation, User

LIFETIME: Final = dt.timedelta(days=7)


class InvitationEnded(Problem):
    def __init__(self) -> None:
        super().__init__(
            "invitation_ended", "This invitation isn't open any more. Ask whoever sent it for another.", status=410
        )


def invite(*, email: str, role: str, site: str, invited_by: User | None = None) -> tuple[Invitation, str]:
    """Invite somebody; a mail with the link leaves at once.

    Args:
        site: where the link leads, such as `https://hotel.example.com`.
        invited_by: None behind a program.

    Returns:
        The invitation, and the link, which can't be had again.

    Raises:
        Invalid: `invalid_email`, `unknown_role`.
        Conflict: `member_exists`, `already_invited`.
    """
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        raise Invalid("invalid_email", "This is no e-mail address.", field="email") from None
    if User.objects.filter(Q(email__iexact=address) | Q(username__iexact=address)).exists():
        raise Conflict("member_exists", "Somebody with this address is a member already.")
    token = secrets.token_urlsafe(32)
    now = timezone.now()
    waiting = Invitation.objects.filter(email=address, accepted_at=None, revoked_at=None)
    try:
        with transaction.atomic(), doing("invitation.created"):
            waiting.filter(expires_at__lte=now).update(revoked_at=now)
            row = Invitation.objects.create(
                email=address,
                role=check_role(role),
                token_digest=_digest(token),
                invited_by=invited_by,
                expires_at=now + LIFETIME,
            )
    except IntegrityError:
        raise Conflict("already_invited", "There is an open invitation to this address. Revoke it first.") from None
    link = site + reverse("staff_invitation", args=[token])
    transaction.on_commit(lambda: _send(row, link))
    return row, link


def find_invitation(*, token: str) -> Invitation:
    """The open invitation that a link leads to. Raises `InvitationEnded` where there is none."""
    row = Invitation.objects.filter(token_digest=_digest(token)).first()
    if row is None or not row.is_open:
        raise InvitationEnded
    return row


def accept(*, token: str, password: str, first_name: str = "", last_name: str = "") -> User:
    """Make the invited person a member, who signs in with their address. Of two who follow one link, one comes in.

    Raises:
        InvitationEnded: used, revoked, expired, or never sent.
        Invalid: `weak_password`.
        Conflict: `member_exists`.
    """
    with transaction.atomic():
        row = Invitation.objects.select_for_update().filter(token_digest=_digest(token)).first()
        if row is None or not row.is_open:
            raise InvitationEnded
        fields = {"email": row.email, "first_name": first_name, "last_name": last_name}
        try:
            validate_password(password, User(username=row.email, **fields))
        except ValidationError as error:
            raise Invalid("weak_password", " ".join(error.messages), field="password") from None
        member = create_member(username=row.email, password=password, role=row.role, **fields)
        row.accepted_at = timezone.now()
        with doing("invitation.accepted"):
            row.save(update_fields=["accepted_at"])
    return member


def revoke(*, invitation: Invitation) -> None:
    """End an invitation that nobody has accepted; again, or afterwards, this changes nothing."""
    with doing("invitation.revoked"):
        Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None).update(revoked_at=timezone.now())


def _send(row: Invitation, link: str) -> None:
    scope = current_scope()
    company = (scope.name if scope else "") or "Switchboard"
    who = row.invited_by.get_full_name() or row.invited_by.get_username() if row.invited_by else "Somebody"
    mail.send_later(
        to=row.email,
        subject=f"You are invited to {company}",
        text=(
            f"Hello,\n\n{who} invites you to work with {company} on Switchboard, as {row.get_role_display().lower()}.\n"
            f"Choose a password within seven days and come in:\n\n{link}\n\n"
            "If you don't know what this is about, there is nothing to do.\n"
        ),
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
