"""`services.json`: addresses of what the launcher started, for commands typed in another terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path


class ServicesFile:
    """Written while the platform runs and removed afterwards; `switchboard.config.EmbeddedServices` reads it.

    Args:
        data_dir: the platform's data folder.
    """

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / "services.json"

    def write(self, services: Mapping[str, str | int]) -> None:
        """Replace the file in one step; only its owner may read it, for it holds passwords."""
        partial = self.path.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        partial.touch(mode=0o600)
        partial.write_text(json.dumps(dict(services), indent=2))
        partial.replace(self.path)

    def remove(self) -> None:
        """Forget the addresses. Also done first thing at a start: a killed launcher leaves them behind."""
        self.path.unlink(missing_ok=True)
