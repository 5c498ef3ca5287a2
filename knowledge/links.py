"""Links to a page of a document: signed, so whoever was shown a citation may open it, and nobody may try others."""

from __future__ import annotations

import hashlib
import uuid
from typing import Final
from urllib.parse import urlencode

from django.core import signing

from tenants.context import current_tenant

LINK_SECONDS: Final = 24 * 3600
# What a link carries of a quote: enough to find it on the page, and short enough for any proxy's URL limit.
QUOTE_CHARACTERS: Final = 600
_SALT: Final = "knowledge.links"


def page_url(document_id: uuid.UUID | str, page: int, quote: str = "") -> str:
    """The path, relative to the tenant's host, that shows a page to its holder for `LINK_SECONDS`. Asks no database.

    Args:
        page: from 1.
        quote: a passage of the page to be highlighted; cut to `QUOTE_CHARACTERS`.
    """
    query = {"token": make_token(document_id)}
    if quote:
        query = {"quote": quote[:QUOTE_CHARACTERS], **query}
    return f"/documents/{document_id}/pages/{page}?{urlencode(query, errors='replace')}"


def make_token(document_id: uuid.UUID | str) -> str:
    """A token that opens one document of the tenant in force."""
    return _signer(document_id).sign("").removeprefix(":")


def check_token(token: str, document_id: uuid.UUID | str) -> bool:
    """Whether a token was made for this document, by the tenant in force, within the last `LINK_SECONDS`."""
    if not token.isascii():
        return False
    try:
        _signer(document_id).unsign(f":{token}", max_age=LINK_SECONDS)
    except signing.BadSignature:
        return False
    return True


def _signer(document_id: uuid.UUID | str) -> signing.TimestampSigner:
    # Tenant and document are in the salt rather than in the text: the token stays short and can't be moved to another.
    bound = hashlib.sha256(f"{current_tenant().schema_name}/{uuid.UUID(str(document_id))}".encode()).hexdigest()
    return signing.TimestampSigner(salt=f"{_SALT}.{bound}")
