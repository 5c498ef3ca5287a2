"""``python -m voice_worker.speech_server``: hear and speak until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import sys

from switchboard.kernel.side_process import end_quietly_when_told, serve
from voice_worker.speech_server.app import SpeechApp
from voice_worker.speech_server.listening import LARGEST_FRAME

_STREAMS = 12


def main(arguments: list[str] | None = None) -> int:
    """Load the models, then listen."""
    options = _parser().parse_args(arguments)
    end_quietly_when_told()
    app = SpeechApp(streams=options.streams)
    serve(app, host=options.host, port=options.port, largest_frame=LARGEST_FRAME)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m voice_worker.speech_server", description="Hear and speak.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, required=True, help="port to listen on")
    parser.add_argument(
        "--streams", type=int, default=_STREAMS, help="streams heard at once, a process each (default: %(default)s)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
