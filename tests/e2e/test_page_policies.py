"""What a stranger could write into a page doesn't run: the pages say so, and the browser holds them to it."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Windows
from tests.platform_process import Company

# What a template would let through that forgot to escape an agent's name.
INJECTED = """
<script>window.injected = "a script within"</script>
<script src="data:text/javascript,window.injected='a script of another place'"></script>
<img src="data:," alt="" onerror="window.injected = 'a handler'">
"""


@pytest.mark.parametrize("address", ["/admin/agents/agent/", "/admin/login/", "/api/docs"])
def test_what_a_template_forgot_to_escape_doesnt_run(windows: Windows, hotel: Company, address: str) -> None:
    page = windows.open(None if "login" in address else hotel)
    served = page.goto(f"{hotel.url}{address}")
    assert served
    headers = {name: served.headers[name] for name in ("content-type", "content-security-policy")}
    before, end, after = served.text().rpartition("</body>")
    assert end
    page.route(f"**{address}", lambda route: route.fulfill(headers=headers, body=f"{before}{INJECTED}{end}{after}"))

    page.reload()

    assert page.locator("img[onerror]").count() == 1
    assert page.evaluate("window.injected ?? null") is None
    for refused in ("inline script", "inline event handler", "data:text/javascript"):
        windows.forgive(f"{refused}.*Content Security Policy|Content Security Policy.*{refused}")
