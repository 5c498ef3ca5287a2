"""The Django project: settings, URLs, entry points, and the kernel every app may use."""

from typing import Any


def __getattr__(name: str) -> Any:
    # `celery -A switchboard` looks for the app here; nobody else should pay for importing it.
    if name in {"celery", "app"}:
        from switchboard.celery import app

        return app
    raise AttributeError(name)
