"""What django-allauth asks us: who is let in, how secrets are kept, where somebody calls from."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest

from switchboard.kernel import encryption
from switchboard.kernel.client_address import client_address
from tenants.context import current_scope
from tenants.staff import lockout
from tenants.staff.models import User


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Members are made by owners and invitations; nobody signs up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request.META)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Every password that is tried, at sign-in or again later, passes here.

        Raises:
            TooManyAttempts: for the account or the address.
        """
        account = str(credentials.get("username") or "")
        attempt = lockout.begin_attempt(account=account, address=client_address(request.META))
        member: User | None = super().authenticate(request, **credentials)
        if member is None or not member.is_staff:
            return None
        attempt.succeeded()
        return member


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets of authenticator apps are stored encrypted."""

    def encrypt(self, text: str) -> str:
        return encryption.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return encryption.decrypt(encrypted_text)

    def get_totp_issuer(self) -> str:
        scope = current_scope()
        return (scope.name if scope else "") or "Switchboard"

    def get_totp_label(self, user: User) -> str:
        return user.get_username()
