"""Where a child process begins. The server imports this to fork by, so the models are imported in the child alone."""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
import traceback

_MOST_MEMORY = 1 << 30  # bytes of address space: a search that has gone astray ends here


def run(connection: socket.socket) -> None:
    """A child's life."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform.startswith("linux"):
        resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    status = 0
    try:
        from voice_worker.speech_server.child import serve

        serve(connection)
    except (BrokenPipeError, ConnectionResetError):
        pass  # nobody listens any more
    except BaseException:
        traceback.print_exc()
        status = 1
    finally:
        # An orderly end would take the models apart, page by page, and copy each of them for it.
        os._exit(status)
