"""What a process is called where nobody acts: in the audit trail, and in PostgreSQL's list of connections."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from pathlib import Path
from typing import Final

_SERVERS: Final = {"uvicorn": "web server", "celery": "worker"}
# PostgreSQL's application_name is this long, in ASCII.
_LONGEST: Final = 63


def process_name(argv: Sequence[str]) -> str:
    """A name for a process.

    Args:
        argv: the command line it was started with.

    Returns:
        Such as `web server`, or `manage.py shell by ines` for what a person typed.
    """
    program = Path(argv[0] if argv else "")
    name = program.parent.name if program.name == "__main__.py" else program.name
    if name in _SERVERS:
        return _SERVERS[name]
    if name == "manage.py" and len(argv) > 1 and not argv[1].startswith("-"):
        name = f"{name} {argv[1]}"
    text = f"{name or 'python'} by {_user()}"
    return text.encode("ascii", "replace").decode()[:_LONGEST]


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number without a name
        return "nobody known"
