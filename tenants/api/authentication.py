"""Who calls: an API key (recognised at the door, by the middleware) or a signed-in member of staff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Model
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from tenants.directory import KeyEntry
from tenants.permissions import Permission
from tenants.tokens.entries import TokenEntry

_CONTACTS_MAY: Final = frozenset({Permission.CONVERSATIONS_READ, Permission.CONVERSATIONS_WRITE})


@dataclass(frozen=True, slots=True)
class ApiKeyCaller:
    """A program with a key, where Django expects a user."""

    key: KeyEntry
    is_authenticated: bool = True
    is_anonymous: bool = False
    is_active: bool = True

    @property
    def pk(self) -> None:
        return None

    def may(self, permission: Permission, on: Model | None) -> bool:
        """What its scopes say, of every row alike."""
        return permission in self.key.scopes


@dataclass(frozen=True, slots=True)
class ContactCaller:
    """A contact with a token: they talk, and see what they have said. Never a caller of the control plane."""

    token: TokenEntry
    is_authenticated: bool = True
    is_anonymous: bool = False
    is_active: bool = True

    @property
    def pk(self) -> None:
        return None

    def may(self, permission: Permission, on: Model | None) -> bool:
        """Talk. With whom, and in which conversations, is asked where those are known."""
        return permission in _CONTACTS_MAY


def token_of(request: HttpRequest) -> TokenEntry | None:
    """The token that the middleware found to hold, if any."""
    return getattr(request, "token", None)


def key_of(request: HttpRequest) -> KeyEntry | None:
    """The API key that the middleware recognised, if any."""
    return getattr(request, "api_key", None)


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer KEY`, for DRF."""

    def authenticate(self, request: Request) -> tuple[ApiKeyCaller, Any] | None:
        key = key_of(request._request)
        return (ApiKeyCaller(key), key) if key else None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="switchboard"'
