"""The unprivileged account that PostgreSQL runs as when the launcher is root (it refuses to run as root itself)."""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from switchboard.launcher.errors import LaunchError


@dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int


def unprivileged_account(owner_of: Path | None = None) -> Account | None:
    """The account to step down to, or None when this process isn't root.

    Args:
        owner_of: files that exist already; their owner is taken, so that an account added later changes nothing.

    Raises:
        LaunchError: there is no account to use.
    """
    if os.geteuid() != 0:
        return None
    if owner_of is not None and owner_of.exists() and (uid := owner_of.stat().st_uid) != 0:
        try:
            return _account(pwd.getpwuid(uid))
        except KeyError:
            return Account(str(uid), uid, owner_of.stat().st_gid)
    for name in ("postgres", "nobody"):
        try:
            return _account(pwd.getpwnam(name))
        except KeyError:
            continue
    raise LaunchError(
        "PostgreSQL refuses to run as root and there is neither a user `postgres` nor `nobody` to run it as. "
        "Start Switchboard as an ordinary user, or point DATABASE_URL at a PostgreSQL server."
    )


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def blocking_folder(path: Path, account: Account) -> Path | None:
    """The first folder on the way to `path` (itself included) that `account` may not enter, or None."""
    folder = path.resolve()
    for part in [*reversed(folder.parents), folder]:
        try:
            found = part.stat()
        except FileNotFoundError:
            return None
        if not _may_enter(found, account):
            return part
    return None


def make_enterable(folder: Path) -> None:
    """Make a folder that all may enter and read, whatever this process's umask; an existing one is left as it is."""
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)


def _may_enter(found: os.stat_result, account: Account) -> bool:
    if found.st_uid == account.uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == account.gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)
