"""`python -m bench.isolation`: clients of several tenants at once on the server as it is shipped, and what they saw.

HTTP, event streams (some cut and resumed), websockets (some dropped), uploads read by a Celery worker, ids of other
tenants, nonsense. Every row of a tenant holds a text of its own; a client that sees another tenant's has found a leak.
"""

from __future__ import annotations

import argparse
import sys

import uvloop

from bench.installation import LOAD_CORE, Installation
from bench.isolation.storm import make_tenants, storm
from bench.measure import on_core
from tests.model_server.process import running


def main() -> int:
    """Run it; returns the exit code: 1 where anything leaked, was lost or failed."""
    parser = argparse.ArgumentParser(prog="python -m bench.isolation", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--tenants", type=int, default=4)
    parser.add_argument("--clients", type=int, default=50, help="of each tenant")
    parser.add_argument("--no-uploads", action="store_true", help="without Celery worker and embedder")
    options = parser.parse_args()
    with on_core(LOAD_CORE), running() as model, Installation({"EGRESS_ALLOW": model.host_and_port}) as place:
        if not options.no_uploads:
            place.embedder()
        place.migrate()
        companies = make_tenants(options.tenants, model.url)
        web = place.web()
        if not options.no_uploads:
            place.worker(web)
        from django.conf import settings

        outcome = uvloop.run(
            storm(
                web=web,
                companies=companies,
                clients=options.clients,
                seconds=options.seconds,
                database_url=place.database_url,
                redis_url=place.redis_url,
                pool=settings.DATABASE_POOL,
                uploads=not options.no_uploads,
            )
        )
        server_said = web.log.read_text(errors="replace").strip()
    print(f"{options.tenants} tenants, {options.clients} clients each, {options.seconds:.0f} s\n{outcome.describe()}")
    if server_said:
        print(f"the web server wrote {len(server_said.splitlines())} lines, at last:\n{server_said[-3000:]}")
    return int(not outcome.is_clean)


if __name__ == "__main__":
    sys.exit(main())
