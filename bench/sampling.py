"""`python -m bench.sampling --out FILE -m MODULE …`: run a module and write where its process spends its CPU time.

Every few milliseconds each thread's CPU time is read, and what it has advanced is put down to the function that the
thread is in and to all its callers. Code is not slowed by hooks. SIGUSR1 forgets what was seen so far.
"""

from __future__ import annotations

import runpy
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import FrameType

_EVERY = 0.003  # seconds


class Sampler(threading.Thread):
    """Looks at all other threads until `finish()`."""

    def __init__(self) -> None:
        super().__init__(daemon=True, name="sampler")
        self.own: Counter[str] = Counter()
        self.with_callees: Counter[str] = Counter()
        self.total = 0.0
        self._last: dict[int, float] = {}
        self._done = threading.Event()

    def run(self) -> None:
        while not self._done.wait(_EVERY):
            frames = sys._current_frames()
            for thread in threading.enumerate():
                frame = frames.get(thread.ident or 0)
                if thread is self or frame is None or thread.native_id is None:
                    continue
                now = _used(thread.native_id)
                spent = now - self._last.get(thread.native_id, now)
                self._last[thread.native_id] = now
                if spent > 0:
                    self._note(frame, spent)

    def forget(self) -> None:
        """Begin anew, as after a start-up that isn't of interest."""
        self.own.clear()
        self.with_callees.clear()
        self.total = 0.0

    def finish(self) -> None:
        """Stop looking."""
        self._done.set()
        self.join()

    def _note(self, frame: FrameType | None, spent: float) -> None:
        self.total += spent
        seen: set[str] = set()
        first = True
        while frame is not None:
            code = frame.f_code
            name = f"{_short(code.co_filename)}:{code.co_qualname}"
            if first:
                self.own[name] += spent  # type: ignore[assignment]
                first = False
            if name not in seen:
                seen.add(name)
                self.with_callees[name] += spent  # type: ignore[assignment]
            frame = frame.f_back


def _used(native_id: int) -> float:
    """Seconds of CPU a thread has used; 0 for one that has ended.

    By the number of the thread's clock as the kernel makes it (Linux, include/linux/posix-timers.h): unlike
    pthread_getcpuclockid() it may be asked for a thread that is gone.
    """
    try:
        return time.clock_gettime((~native_id << 3) | 6)
    except OSError:
        return 0.0


def _short(filename: str) -> str:
    return filename.rpartition("site-packages/")[2].rpartition("lib/python3.11/")[2]


def main() -> None:
    """Run the module named on the command line under the sampler."""
    out = Path(sys.argv[2])
    module, sys.argv = sys.argv[4], sys.argv[4:]
    sys.setswitchinterval(0.0005)
    # uvicorn ends itself with the signal that ended its serving; the report comes after that.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    sampler = Sampler()
    signal.signal(signal.SIGUSR1, lambda number, frame: sampler.forget())
    sampler.start()
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        sampler.finish()
        lines = [f"CPU seconds sampled: {sampler.total:.2f}"]
        for title, counter in (("itself", sampler.own), ("with all it calls", sampler.with_callees)):
            lines += ["", title]
            lines += [f"{100 * spent / sampler.total:5.1f} %  {name}" for name, spent in counter.most_common(90)]
        out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
