"""The project's own files, for rules about the code itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_NOT_OURS = frozenset({"node_modules", "__pycache__", "migrations", "vendor"})
PRODUCT = ("manage.py", "platform", "tenants", "billing", "knowledge", "agents", "conversations", "voice_worker")
AROUND = ("tests", "bench", "widget", "templates", "docs", ".ci")


def files(*suffixes: str, under: tuple[str, ...] = PRODUCT) -> Iterator[Path]:
    """Files with these endings, generated and foreign ones left out."""
    for name in under:
        start = ROOT / name
        for path in [start] if start.is_file() else sorted(start.rglob("*")):
            parts = path.relative_to(ROOT).parts
            if path.is_file() and path.suffix in suffixes and not _NOT_OURS.intersection(parts):
                yield path


def name_of(path: Path) -> str:
    """A file's path as it is written in this project."""
    return path.relative_to(ROOT).as_posix()
