"""What was read and what went wrong, in one place."""

from __future__ import annotations

import re
from collections import Counter

CANARY = re.compile(rb"canary-[0-9a-f]{12}")
_MOST_KEPT = 20


class Tally:
    """Counts of a run. Everything a client receives goes through `read`."""

    def __init__(self) -> None:
        self.reads: Counter[str] = Counter()
        self.actions: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self.canaries = 0
        self.foreign: list[str] = []
        self.faults: list[str] = []
        self.foreign_count = self.fault_count = self.server_errors = 0

    def read(self, what: str, received: bytes, own: str) -> int:
        """Look through something received; returns how often it held the reader's own canary."""
        self.reads[what] += 1
        found = CANARY.findall(received)
        strange = [canary for canary in found if canary != own.encode()]
        self.canaries += len(found)
        if strange:
            self.foreign_count += len(strange)
            if len(self.foreign) < _MOST_KEPT:
                self.foreign.append(f"{what}: {strange[0].decode()} read by {own}: {received[:300]!r}")
        return len(found) - len(strange)

    def status(self, what: str, status: int, expected: tuple[int, ...], body: bytes = b"") -> bool:
        """Note a response's status; anything unexpected is a fault."""
        self.statuses[status] += 1
        self.server_errors += status >= 500
        if status not in expected:
            self.fault(f"{what}: {status} instead of {expected}: {body[:300]!r}")
        return status in expected

    def fault(self, text: str) -> None:
        """Something that should not have happened, though no row of another tenant's was seen."""
        self.fault_count += 1
        if len(self.faults) < _MOST_KEPT:
            self.faults.append(text)
