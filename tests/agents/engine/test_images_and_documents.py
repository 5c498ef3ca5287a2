"""The built-in model, shown something and asked what the documents hold."""

from __future__ import annotations

from typing import Any

from knowledge.models import Collection
from switchboard.kernel.database import in_database
from tenants.context import use_tenant
from tests.agents.engine.talking import Talk, release_with
from tests.agents.test_images import IMAGES


async def test_it_says_that_it_cannot_see_and_quotes_all_the_same(
    companies: None, live_tenants: None, harbour: Any
) -> None:
    with use_tenant(harbour):
        collections = await in_database(lambda: list(Collection.objects.values_list("pk", flat=True)))
        talk = Talk((await in_database(release_with, collections=collections)).pk)
        heard = await talk.say("Is the spa open on Sunday?", images=IMAGES)

    assert heard.text.startswith("I'm the built-in local model and can't see pictures")
    assert heard.of("citation")
