"""The guard on requests to single sign-on providers, for allauth, which speaks through `requests`.

As in `switchboard.kernel.egress`: the name is resolved once, what it leads to is judged, and the connection goes to the
address that was judged. Redirects aren't followed, and what is read is bounded.
"""

from __future__ import annotations

import functools
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import httpcore2
import requests
from django.conf import settings
from requests.adapters import HTTPAdapter

from switchboard.kernel.database import release_connections
from switchboard.kernel.egress import EgressPolicy

_SECONDS: Final = (5, 10)
_LONGEST: Final = 1024 * 1024


class _Guarded(HTTPAdapter):
    def __init__(self, policy: EgressPolicy) -> None:
        self._policy = policy
        super().__init__(max_retries=0)

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        parts = urlsplit(str(request.url))
        host, is_secure = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (443 if is_secure else 80)
        try:
            address = self._policy.resolve_now(host, port)
        except httpcore2.ConnectError as error:
            raise requests.ConnectionError(str(error)) from None
        request.headers["Host"] = parts.netloc.rpartition("@")[2]
        request.headers["Accept-Encoding"] = "identity"
        literal = f"[{address}]" if ":" in address else address
        request.url = urlunsplit(parts._replace(netloc=f"{literal}:{port}"))
        if is_secure:
            # The certificate is the name's, whatever address it was found at.
            self.poolmanager.connection_pool_kw.update(server_hostname=host, assert_hostname=host)
        kwargs.update(stream=True, proxies={})
        release_connections()
        response = super().send(request, *args, **kwargs)
        if response.is_redirect:
            raise requests.TooManyRedirects("the provider leads elsewhere")
        content = response.raw.read(_LONGEST + 1, decode_content=False)
        if len(content) > _LONGEST:
            raise requests.ConnectionError("the provider's answer has no end")
        response._content, response._content_consumed = content, True
        return response


def guarded_session() -> requests.Session:
    """A session that reaches only what the policy permits."""
    session = requests.Session()
    session.trust_env = False
    adapter = _Guarded(EgressPolicy(settings.EGRESS_ALLOW))
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    session.request = functools.partial(session.request, timeout=_SECONDS)  # type: ignore[method-assign]
    return session
