"""Single sign-on: which providers' people come in, and as whom."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction

from switchboard.kernel.egress import check_url
from switchboard.kernel.problems import Conflict, Invalid, Problem
from tenants.actor import doing
from tenants.context import current_scope
from tenants.staff.domain.members import check_role, create_member
from tenants.staff.models import SsoConnection, User

_DOMAIN: Final = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}\Z")


class NotAdmitted(Problem):
    def __init__(self, detail: str) -> None:
        super().__init__("sso_refused", detail, status=403)


def admit(*, connection: SsoConnection, claims: Mapping[str, Any], known: User | None) -> User:
    """The member that a provider's person is; a new one, where nobody has their address.

    Args:
        connection: whose provider has verified the claims.
        claims: of the ID token.
        known: who signed in with this person's account at the provider before.

    Raises:
        NotAdmitted: the address isn't verified, or of another domain, or nobody's alone.
    """
    email = str(claims.get("email") or "").strip().lower()
    if not email or claims.get("email_verified") is not True:
        raise NotAdmitted(f"{connection.name} hasn't verified your e-mail address.")
    if email.rpartition("@")[2] not in connection.email_domains:
        raise NotAdmitted("People with this e-mail address can't sign in here.")
    member = known or _with_address(email) or _new(connection, email, claims)
    if not member.is_staff:
        raise NotAdmitted("People with this e-mail address can't sign in here.")
    return member


def _with_address(email: str) -> User | None:
    found = list(User.objects.filter(email__iexact=email)[:2])
    if len(found) > 1:
        raise NotAdmitted("Several members have this e-mail address. An owner must give each their own.")
    return found[0] if found else None


def _new(connection: SsoConnection, email: str, claims: Mapping[str, Any]) -> User:
    scope = current_scope()
    if scope is None or scope.is_public:
        raise NotAdmitted("Operators are invited. Nobody with this e-mail address is one.")
    names = {"first_name": str(claims.get("given_name") or ""), "last_name": str(claims.get("family_name") or "")}
    try:
        with doing("member.joined_by_sso", f"by {connection.name}"):
            return create_member(
                username=email,
                password=None,
                role=connection.new_member_role,
                email=email,
                **{name: value[:150] for name, value in names.items()},
            )
    except Conflict:
        raise NotAdmitted("Somebody else signs in by this e-mail address already.") from None


def create_connection(*, client_secret: str, **fields: Any) -> SsoConnection:
    """A provider whose people may sign in.

    Raises:
        Invalid: `invalid_url`, `invalid_domain`, `unknown_role`.
        Conflict: `name_taken`.
    """
    row = SsoConnection(client_secret=client_secret, **_checked(fields))
    return _saved(row, "sso_connection.created")


def change_connection(*, connection: SsoConnection, client_secret: str | None = None, **fields: Any) -> SsoConnection:
    """Change a connection. None keeps the stored secret. Raises like `create_connection`."""
    for name, value in _checked(fields).items():
        setattr(connection, name, value)
    if client_secret is not None:
        connection.client_secret = client_secret
    return _saved(connection, "sso_connection.changed")


def delete_connection(*, connection: SsoConnection) -> None:
    """Nobody signs in by it from now on; who became a member by it stays one."""
    with doing("sso_connection.deleted"):
        connection.delete()


def _saved(row: SsoConnection, action: str) -> SsoConnection:
    try:
        with transaction.atomic(), doing(action):
            row.save()
    except IntegrityError:
        raise Conflict("name_taken", f"There is a connection called {row.name} already.") from None
    return row


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    checked = dict(fields)
    if "issuer" in checked:
        checked["issuer"] = _issuer(checked["issuer"])
    if "email_domains" in checked:
        checked["email_domains"] = _domains(checked["email_domains"])
    if "new_member_role" in checked:
        check_role(checked["new_member_role"])
    return checked


def _issuer(url: str) -> str:
    issuer = check_url(url.strip(), field="issuer")
    parts = urlsplit(issuer)
    # Where its people's passwords go, nobody may listen; an operator may let a provider on the same machine be.
    if parts.scheme != "https" and parts.netloc not in settings.EGRESS_ALLOW:
        raise Invalid("invalid_url", "The issuer must begin with https://.", field="issuer")
    if parts.query or parts.fragment:
        raise Invalid("invalid_url", "An issuer has no query and no fragment.", field="issuer")
    return issuer


def _domains(names: Sequence[str]) -> list[str]:
    domains = list(dict.fromkeys(name.strip().lower().removeprefix("@") for name in names))
    if not domains:
        raise Invalid("invalid_domain", "Name at least one domain.", field="email_domains")
    for domain in domains:
        if not _DOMAIN.match(domain):
            raise Invalid("invalid_domain", f"{domain} is no domain.", field="email_domains")
    return domains
