"""Tenants under fire at once see nothing of each other: bench/isolation, shorter, with its Celery and embedder."""

from __future__ import annotations

import os
from pathlib import Path

from bench.installation import start_web, start_worker, stopped_at_the_end
from bench.isolation.storm import make_tenants, storm
from tests.model_server.process import ModelServer


async def test_no_tenant_sees_anothers_rows(live_tenants: None, embedder: str, model_server: ModelServer) -> None:
    from django.conf import settings

    from switchboard.kernel.database import in_database

    companies = await in_database(make_tenants, 4, model_server.url)
    folder = Path(os.environ["DATA_DIR"])
    environment = {"EGRESS_ALLOW": model_server.host_and_port, "LOG_LEVEL": "WARNING"}
    with (
        stopped_at_the_end(start_web(environment, folder)) as web,
        stopped_at_the_end(start_worker(environment, folder, web)),
    ):
        outcome = await storm(
            web=web,
            companies=companies,
            clients=8,
            seconds=12,
            database_url=os.environ["DATABASE_URL"],
            redis_url=os.environ["REDIS_URL"],
            pool=settings.DATABASE_POOL,
            uploads=True,
        )
    tally = outcome.tally
    assert tally.canaries > 100, outcome.describe()  # or nothing was tried
    assert (tally.foreign, outcome.foreign_rows) == ([], []), outcome.describe()
    assert outcome.leaked == [], outcome.describe()
    assert outcome.lost_turns == [], outcome.describe()
    assert (tally.server_errors, tally.faults) == (0, []), outcome.describe()
