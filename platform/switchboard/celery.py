"""The Celery application. Every task says whose work it is, or is refused (`tenants.celery`)."""

from __future__ import annotations

import os
import sys
from typing import Any

from celery import Celery
from celery.signals import worker_init
from django.core.exceptions import ImproperlyConfigured

from tenants.checks import refuse_transaction_pooling

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "switchboard.settings")

app = Celery("switchboard", task_cls="tenants.celery:TenantTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
def _refuse_unsafe_surroundings(**_: Any) -> None:
    # A signal's exceptions are only logged; leaving is what stops a worker.
    try:
        refuse_transaction_pooling()
    except ImproperlyConfigured as error:
        sys.exit(str(error))
