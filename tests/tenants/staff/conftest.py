from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def mails() -> Iterator[list[Any]]:
    """Mails that were sent, with tasks run where they are sent; Django keeps both in memory."""
    from django.core import mail

    from switchboard.celery import app

    before = app.conf.task_always_eager
    app.conf.task_always_eager = True
    mail.outbox = []
    yield mail.outbox
    app.conf.task_always_eager = before
