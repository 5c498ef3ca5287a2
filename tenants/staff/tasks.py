from __future__ import annotations

import smtplib

from celery import shared_task

from switchboard.kernel.database import OUTAGES
from tenants.staff import mail
from tenants.staff.domain import passwords

_MAIL_ERRORS = (OSError, smtplib.SMTPException)


@shared_task(name="staff.send_mail", autoretry_for=_MAIL_ERRORS, retry_backoff=5, retry_backoff_max=600, max_retries=12)
def send_mail(to: str, subject: str, text: str) -> None:
    """Thin: see tenants.staff.mail."""
    mail.deliver(to=to, subject=subject, text=text)


@shared_task(
    name="staff.send_password_reset",
    autoretry_for=(*_MAIL_ERRORS, *OUTAGES),
    retry_backoff=5,
    retry_backoff_max=600,
    max_retries=12,
)
def send_password_reset(email: str, site: str, path: str) -> None:
    """Thin: see tenants.staff.domain.passwords."""
    passwords.send_reset(email=email, site=site, path=path)
