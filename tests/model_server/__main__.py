"""`python -m tests.model_server [--port 8100]`: serves until it is stopped; its first line is its base URL."""

from __future__ import annotations

import argparse
import sys

import uvloop

from tests.model_server.server import serve


async def _run(port: int) -> None:
    server, taken = await serve(port)
    sys.stdout.write(f"http://127.0.0.1:{taken}/v1\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.model_server")
    parser.add_argument("--port", type=int, default=0)
    try:
        uvloop.run(_run(parser.parse_args().port))
    except KeyboardInterrupt:
        sys.exit(0)
