"""Mail to people: sent by a worker, tried again while the mail server is away. Operators' mail has no tenant to run as,
so it leaves from a thread of this process.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage

from tenants.context import current_scope

logger = logging.getLogger(__name__)


def is_delivered() -> bool:
    """Whether mail goes to a mail server; otherwise it is written to files, and whoever sends it must be told."""
    return bool(settings.EMAIL_HOST)


def deliver(*, to: str, subject: str, text: str) -> None:
    """Hand a mail to the mail server, or to a file. Raises OSError and smtplib's errors."""
    if not is_delivered():
        settings.EMAIL_FILE_PATH.mkdir(mode=0o700, parents=True, exist_ok=True)
    EmailMessage(subject=" ".join(subject.split()), body=text, to=[to]).send()


def send_later(*, to: str, subject: str, text: str) -> None:
    """Send a mail when somebody gets to it."""
    from tenants.staff import tasks

    later(tasks.send_mail, deliver, to=to, subject=subject, text=text)


def later(task: Any, function: Callable[..., None], **values: Any) -> None:
    """Run a task in the tenant in force, or what it stands for in the platform's own name."""
    scope = current_scope()
    if scope is not None and not scope.is_public:
        task.delay(**values)
        return

    def run() -> None:
        from django.db import connections

        try:
            function(**values)
        except Exception:
            logger.exception("mail to an operator wasn't sent")
        finally:
            connections.close_all()

    threading.Thread(target=copy_context().run, args=(run,), name="operators' mail").start()
