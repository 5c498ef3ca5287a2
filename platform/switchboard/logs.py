"""Log lines: for people on a console, or JSON a line for machines. Never a secret, never what a contact said."""

from __future__ import annotations

import logging
import re
from typing import Any

import structlog

_SECRETS = re.compile(r"(sb_[0-9a-f]{12}_)[A-Za-z0-9_-]+|(://[^:/\s]*:)[^@/\s]+(?=@)|(?i:(bearer\s+))\S+")


def hide_secrets(logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Mask API keys, passwords in URLs and bearer tokens, wherever in a line they stand."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = _SECRETS.sub(lambda found: f"{found[1] or found[2] or found[3] or ''}***", value)
    return event


def hide_people(logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Leave out what livekit-agents marks as personal: who is in a room, and what is said there."""
    for name in [name for name in event if name.startswith("lk.pii.")]:
        del event[name]
    return event


def add_scope(logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Say whose work a line is about, and for which request it was done."""
    from switchboard.kernel.request_id import current_request_id
    from tenants.context import current_scope

    request_id = current_request_id()
    if request_id:
        event.setdefault("request_id", request_id)

    scope = current_scope()
    if scope is not None and not scope.is_public:
        event["tenant"] = scope.schema_name
    return event


class Incidents(logging.Filter):
    """Of what Django says about requests, the failures nobody foresaw. A refusal, even a 503, is an answer."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.exc_info is not None


def logging_settings(*, level: str, style: str) -> dict[str, Any]:
    """Django's LOGGING.

    Args:
        level: the least severe line kept.
        style: `console` or `json`.
    """
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        hide_people,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if style == "console" else "iso", utc=style == "json"),
        add_scope,
        structlog.processors.format_exc_info,
        hide_secrets,
    ]
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)
        if style == "console"
        else structlog.processors.JSONRenderer()
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "lines": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            }
        },
        "filters": {"incidents": {"()": Incidents}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django.request": {"level": "ERROR", "filters": ["incidents"]},
            "httpx2": {"level": "WARNING"},
            "httpx": {"level": "WARNING"},
            "google_genai": {"level": "ERROR"},
            "celery": {"level": "WARNING"},
            "kombu": {"level": "WARNING"},
        },
    }
