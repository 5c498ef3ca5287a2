"""Google's speech recognition, at Google or at a door to it that an operator runs."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from livekit.plugins import google

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def at_google() -> type[google.STT]:
    """The plugin's, as it is."""
    from livekit.plugins import google

    return google.STT


def at(host_and_port: str) -> type[google.STT]:
    """One whose client goes elsewhere, by TLS, with the certificates that this machine trusts.

    The plugin knows Google's regions alone, and gRPC the certificates it comes with.
    """
    from google.cloud import speech_v1, speech_v2
    from google.oauth2 import service_account
    from grpc import ssl_channel_credentials  # type: ignore[import-untyped]
    from livekit.plugins import google

    class Elsewhere(google.STT):
        async def _create_client(self, timeout: float) -> Any:
            account: Any = self._credentials_info
            # The account signs its own tokens: nobody is asked for them.
            credentials: Any = service_account.Credentials
            signs = credentials.from_service_account_info(account, scopes=[_SCOPE])
            signs = signs.with_always_use_jwt_access(True)
            self._project_id = signs.project_id
            client: Any = (speech_v2 if self._config.version == 2 else speech_v1).SpeechAsyncClient
            transport = client.get_transport_class("grpc_asyncio")
            channel = transport.create_channel(
                host_and_port, credentials=signs, ssl_credentials=ssl_channel_credentials(_trusted())
            )
            return client(transport=transport(host=host_and_port, channel=channel))

    return Elsewhere


def _trusted() -> bytes | None:
    """What SSL_CERT_FILE names, or else the machine's; None: those that gRPC comes with."""
    path = ssl.get_default_verify_paths().cafile
    return Path(path).read_bytes() if path else None
