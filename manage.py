#!/usr/bin/env python3
"""Switchboard's command line."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
# `platform/` is a source root, not a package: a package of that name would shadow the standard library's.
sys.path.insert(0, str(ROOT / "platform"))


def main() -> None:
    if sys.argv[1:2] == ["run"]:
        # Starts the servers that the settings name, so it can't wait for the settings.
        from switchboard.launcher.command import main as run

        sys.exit(run(sys.argv[2:]))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "switchboard.settings")
    from switchboard.config import ConfigurationInvalid

    try:
        from django.core.management import execute_from_command_line

        from tenants.context import use_public

        # Commands act for the platform unless they say otherwise: the public schema is named here, never assumed.
        with use_public():
            execute_from_command_line(sys.argv)
    except ConfigurationInvalid as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
