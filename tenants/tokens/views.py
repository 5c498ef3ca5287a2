"""What anybody may read: the public halves of the signing keys (RFC 7517), on every host."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from tenants.tokens import keyring
from tenants.tokens.domain.signing_keys import PUBLISHED_SECONDS, active_key


@require_safe
def jwks_view(request: HttpRequest) -> JsonResponse:
    """`/.well-known/jwks.json`."""
    active_key()  # the first who asks has them made
    return JsonResponse(
        {"keys": keyring.published()},
        headers={"Cache-Control": f"public, max-age={PUBLISHED_SECONDS}", "Access-Control-Allow-Origin": "*"},
    )
