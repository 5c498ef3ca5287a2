"""What is checked before anything starts: disk, port, and the servers the configuration names."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from switchboard.launcher.errors import LaunchError
from switchboard.launcher.ports import holder_of, is_free

_LEAST_FREE = 500 * 1024 * 1024  # bytes: a fresh database, the embedder's model and room for logs


def free_bytes(folder: Path) -> int:
    """Free bytes on the disk that holds `folder`."""
    return shutil.disk_usage(folder).free


def check_disk(folder: Path, read_free: Callable[[Path], int] = free_bytes) -> int:
    """Free bytes for the data folder.

    Raises:
        LaunchError: too few.
    """
    free = read_free(folder)
    if free < _LEAST_FREE:
        raise LaunchError(
            f"Only {free // 1_000_000} MB are free on the disk that holds {folder}; Switchboard wants at least "
            f"{_LEAST_FREE // 1_000_000} MB. Free some space, or choose a folder on another disk with DATA_DIR=…"
        )
    return free


def check_port(host: str, port: int) -> None:
    """See that the web server can listen there.

    Raises:
        LaunchError: it can't; the text says who has the port.
    """
    try:
        free = is_free(port, host)
    except OSError as error:
        if error.errno == errno.EACCES:
            raise LaunchError(f"Port {port} needs more rights than this user has. Use `make run PORT=8000`.") from None
        raise LaunchError(f"HOST={host} isn't an address of this machine. Use 127.0.0.1, or 0.0.0.0 for all.") from None
    if not free:
        other = 9000 if port != 9000 else 9100
        raise LaunchError(f"Port {port} is taken by {holder_of(port)}. Use `make run PORT={other}`, or stop it.")


def check_database(url: str) -> str:
    """Connect to the PostgreSQL that DATABASE_URL names; returns its version and address.

    Raises:
        LaunchError: it can't be reached, is too old, or has no pgvector.
    """
    import psycopg

    where = _address(url, 5432)
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            version = connection.info.server_version
            found = connection.execute(
                "SELECT default_version FROM pg_available_extensions WHERE name = 'vector'"
            ).fetchone()
    except (psycopg.Error, UnicodeError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise LaunchError(
            f"PostgreSQL at {where} (DATABASE_URL) can't be used: {reason}. "
            f"Start it or correct DATABASE_URL; without DATABASE_URL an embedded PostgreSQL is started."
        ) from None
    if version < 160000:
        raise LaunchError(
            f"PostgreSQL at {where} (DATABASE_URL) is version {version // 10000}; Switchboard needs 16 or newer."
        )
    if found is None or tuple(int(part) for part in found[0].split(".")[:2]) < (0, 8):
        raise LaunchError(
            f"PostgreSQL at {where} (DATABASE_URL) has {'pgvector ' + found[0] if found else 'no pgvector'}; "
            f"Switchboard needs pgvector 0.8 or newer. See https://github.com/pgvector/pgvector#installation"
        )
    return f"version {version // 10000} at {where}"


def check_redis(url: str) -> str:
    """Connect to the Redis that REDIS_URL names; returns its version and address.

    Raises:
        LaunchError: it can't be reached or refuses our password.
    """
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    where = _address(url, 6379)
    try:
        once = Retry(NoBackoff(), 0)
        with redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5, retry=once) as client:
            version = str(client.info("server").get("redis_version", "?"))
    except (redis.RedisError, OSError, ValueError) as error:
        raise LaunchError(
            f"Redis at {where} (REDIS_URL) can't be used: {error}. "
            f"Start it or correct REDIS_URL; without REDIS_URL an embedded Redis is started."
        ) from None
    return f"version {version} at {where}"


def _address(url: str, default_port: int) -> str:
    """Host and port of a URL, without its password."""
    try:
        parts = urlsplit(url)
        return f"{parts.hostname or parts.path or 'localhost'}:{parts.port or default_port}"
    except ValueError:
        return "an unreadable address"
