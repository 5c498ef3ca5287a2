"""``python -m knowledge.embedder``: serve embeddings until SIGTERM or SIGINT."""

import argparse
import os
import sys
from pathlib import Path

from knowledge.embedder.app import EmbedderApp
from knowledge.embedder.batching import Batcher
from knowledge.embedder.model import EmbeddingModel
from knowledge.embedder.weights import WeightsError
from switchboard.kernel.side_process import end_quietly_when_told, serve


def main(arguments: list[str] | None = None) -> int:
    """Load the model, then listen; the exit status is 1 when the model cannot be loaded."""
    options = _parser().parse_args(arguments)
    end_quietly_when_told()
    try:
        model = EmbeddingModel(options.cache, threads=options.threads)
    except WeightsError as error:
        return _fail(str(error))
    except OSError as error:
        reason = error.strerror or error
        return _fail(f"The model cannot be kept in {options.cache}: {reason}. Free some space or name another --cache.")
    serve(EmbedderApp(Batcher(model)), host=options.host, port=options.port)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m knowledge.embedder", description="Serve all-MiniLM-L6-v2.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, required=True, help="port to listen on")
    parser.add_argument("--cache", type=Path, required=True, help="folder for the model's graph (90 MB)")
    parser.add_argument(
        "--threads",
        type=int,
        default=min(4, _processors()),
        help="processor threads for one batch (default: %(default)s)",
    )
    return parser


def _processors() -> int:
    """Those that this process may use: threads that share one only wait for each other."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _fail(sentence: str) -> int:
    sys.stderr.write(f"embedder: {sentence}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
