"""One launcher per data folder."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType

from switchboard.launcher.errors import LaunchError


class DataLock:
    """Holds the data folder for this process; the kernel lets go of it however the process ends.

    Args:
        data_dir: the folder; made if missing.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._file: int | None = None

    def __enter__(self) -> DataLock:
        """Take the lock.

        Raises:
            LaunchError: another process holds it, or the folder can't be written.
        """
        try:
            self._data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(self._data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise LaunchError(
                f"The data folder {self._data_dir} can't be used: {error.strerror}. Choose another with DATA_DIR=…"
            ) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.read(self._file, 32).decode().strip() or "unknown"
            os.close(self._file)
            raise LaunchError(
                f"Another Switchboard (pid {pid}) is already running on {self._data_dir}. "
                f"Stop it, or choose another folder with DATA_DIR=…"
            ) from None
        os.ftruncate(self._file, 0)
        os.write(self._file, f"{os.getpid()}\n".encode())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
