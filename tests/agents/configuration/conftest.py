from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tenants.models import Tenant


@pytest.fixture
def opened(in_harbour: Tenant) -> Tenant:
    """Harbour, to which `HOTEL` was applied."""
    from tests.agents.configuration.documents import HOTEL, apply

    apply(HOTEL)
    return in_harbour
