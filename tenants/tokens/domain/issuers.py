"""A tenant's own issuers: made known, changed, forgotten."""

from __future__ import annotations

import ipaddress
from typing import Any, Final

import httpx2
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from switchboard.kernel.egress import check_url
from switchboard.kernel.problems import Conflict, Invalid
from tenants.tokens import keyring
from tenants.tokens.models import ALGORITHMS, TokenIssuer

MOST_ISSUERS: Final = 20


def create_issuer(**values: Any) -> TokenIssuer:
    """Take an issuer's tokens from now on.

    Raises:
        Invalid: a value that can't be.
        Conflict: `issuer_exists`; `too_many_issuers`.
    """
    if TokenIssuer.objects.count() >= MOST_ISSUERS:
        raise Conflict("too_many_issuers", f"{MOST_ISSUERS} issuers are the most.")
    return _kept(TokenIssuer(**values))


def change_issuer(*, row: TokenIssuer, **values: Any) -> TokenIssuer:
    """Change an issuer; every process goes by it within seconds.

    Raises:
        Invalid: a value that can't be.
        Conflict: `issuer_exists`.
    """
    for name, value in values.items():
        setattr(row, name, value)
    return _kept(row)


def delete_issuer(*, row: TokenIssuer) -> None:
    """Take an issuer's tokens no more, those that live still included."""
    row.delete()


def _kept(row: TokenIssuer) -> TokenIssuer:
    _check(row)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise Conflict("issuer_exists", "This issuer is known already.") from None
    return row


def _check(row: TokenIssuer) -> None:
    if row.issuer == keyring.issuer_name():
        raise Invalid("invalid_issuer", "This is the platform itself.", field="issuer")
    check_url(row.jwks_url, field="jwks_url")
    url = httpx2.URL(row.jwks_url)
    if url.scheme != "https" and not _is_loopback(url.host):
        # Whoever stands between could put in keys of their own. (Private addresses are the guard's to refuse.)
        raise Invalid("invalid_url", "Keys are fetched over https alone.", field="jwks_url")
    if not row.algorithms or set(row.algorithms) - set(ALGORITHMS):
        raise Invalid("invalid_algorithms", f"Choose among {', '.join(ALGORITHMS)}.", field="algorithms")
    for claim, value in (("tenant_claim", "tenant_value"), ("groups_claim", "required_group")):
        if bool(getattr(row, claim)) != bool(getattr(row, value)):
            raise Invalid("invalid_claims", f"`{claim}` and `{value}` go together.", field=value)
    try:
        row.full_clean(validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        problem = Invalid("invalid_issuer", "; ".join(error.messages))
        problem.errors = [
            {"field": field, "message": message} for field, found in error.message_dict.items() for message in found
        ]
        raise problem from None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
