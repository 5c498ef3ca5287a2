"""The garbage collector of a process that serves many requests.

A platform of many packages holds some hundred thousand objects that live as long as the process. Each full collection
walks through all of them, and whoever is being answered waits meanwhile. So they are set aside once everything is
loaded (docs.python.org, `gc.freeze`), and what comes later is looked through in larger portions.
"""

from __future__ import annotations

import gc
from typing import Final

# A turn makes some thousand objects, nearly all of which reference counting frees at once.
_PORTION: Final = 20_000


def settle() -> None:
    """Set aside what is loaded by now: nothing of it is looked at any more."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_PORTION, 10, 10)
