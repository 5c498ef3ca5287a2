"""Keys that a fresh installation makes for itself, once, readable by its owner alone."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet

from switchboard.config import Config


def secret_key(config: Config) -> str:
    """What signs sessions and links."""
    return config.secret_key.get_secret_value() or _kept(config.data_dir / "secret_key", secrets.token_urlsafe(48))


def encryption_keys(config: Config) -> list[str]:
    """What encrypts stored credentials, newest first."""
    given = [key.get_secret_value() for key in config.encryption_keys]
    return given or [_kept(config.data_dir / "encryption_key", Fernet.generate_key().decode())]


def _kept(path: Path, fresh: str) -> str:
    """The text in the file; where there is none, `fresh`, written so that of two processes at once both read the
    same.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.write_text(fresh)
        draft.chmod(0o600)
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text()
