"""Forgotten passwords: a link by mail, for whoever it is that has the address."""

from __future__ import annotations

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str

from tenants.staff import mail
from tenants.staff.models import User


def send_reset(*, email: str, site: str, path: str) -> None:
    """Send a link to every member with this address who has a password here. Nobody is told whether there is one.

    Args:
        site: where the link leads, such as `https://hotel.example.com`.
        path: with `{key}` in it.
    """
    for member in User.objects.filter(email__iexact=email, is_active=True, is_staff=True):
        if not member.has_usable_password():
            continue
        key = f"{user_pk_to_url_str(member)}-{default_token_generator.make_token(member)}"
        mail.deliver(
            to=member.email,
            subject="Choose a new password",
            text=(
                f"Hello,\n\nsomebody asked for a new password for {member.username} at {site}.\n"
                f"If that was you, choose it here within the hour:\n\n{site}{path.format(key=key)}\n\n"
                "If it wasn't, nothing has changed and there is nothing to do.\n"
            ),
        )
