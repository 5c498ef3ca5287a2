"""``python -m knowledge.embedder``: serve embeddings until SIGTERM or SIGINT."""

import argparse
import os
import signal
import sys
from pathlib import Path

import uvicorn

from knowledge.embedder.app import EmbedderApp
from knowledge.embedder.batching import Batcher
from knowledge.embedder.model import EmbeddingModel
from knowledge.embedder.weights import WeightsError

_GRACE_SECONDS = 5


def main(arguments: list[str] | None = None) -> int:
    """Load the model, then listen; the exit status is 1 when the model cannot be loaded."""
    options = _parser().parse_args(arguments)
    # uvicorn finishes what it has begun, then raises the signal again; being told to stop is not a failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    try:
        model = EmbeddingModel(options.cache, threads=options.threads)
    except WeightsError as error:
        return _fail(str(error))
    except OSError as error:
        reason = error.strerror or error
        return _fail(f"The model cannot be kept in {options.cache}: {reason}. Free some space or name another --cache.")
    config = uvicorn.Config(
        EmbedderApp(Batcher(model)),
        host=options.host,
        port=options.port,
        access_log=False,
        log_level="warning",
        lifespan="on",
        server_header=False,
        date_header=False,
        backlog=512,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    uvicorn.Server(config).run()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m knowledge.embedder", description="Serve all-MiniLM-L6-v2.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, required=True, help="port to listen on")
    parser.add_argument("--cache", type=Path, required=True, help="folder for the model's graph (90 MB)")
    parser.add_argument(
        "--threads",
        type=int,
        default=min(4, os.cpu_count() or 1),
        help="processor threads for one batch (default: %(default)s)",
    )
    return parser


def _fail(sentence: str) -> int:
    sys.stderr.write(f"embedder: {sentence}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
