"""OpenID Connect by allauth, made stricter: PKCE and a nonce always, the issuer as it was configured, and an ID token
whose signature is verified whichever way it came (OpenID Connect Core 1.0 §3.1.3.7).
"""

from __future__ import annotations

import hashlib
from typing import Any, Final
from urllib.parse import urlsplit

import jwt
import requests
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, get_adapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from switchboard.kernel.problems import Problem
from tenants.staff.domain import sso
from tenants.staff.models import SsoConnection
from tenants.staff.signin.guarded import guarded_session
from tenants.staff.signin.views import site_in_force

# Signed with a key pair: a provider's public key is no secret that could sign.
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_CLOCK_SECONDS: Final = 60
_FAILED: Final = "Single sign-on didn't work. Try again; if it goes on, tell an owner of your team."
_FAULTS: Final = (
    requests.RequestException,
    OAuth2Error,
    jwt.PyJWTError,
    PermissionDenied,
    ValueError,
    KeyError,
    TypeError,
)


def nonce_of(code_verifier: str) -> str:
    """The nonce of a sign-in: it follows from what only this browser's session knows."""
    return hashlib.sha256(f"nonce:{code_verifier}".encode()).hexdigest()


class _OAuth(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    _nonce = ""

    @property
    def openid_config(self) -> dict[str, Any]:
        config: dict[str, Any] = super().openid_config
        if str(config.get("issuer", "")).rstrip("/") != self.get_provider().app.connection.issuer.rstrip("/"):
            raise OAuth2Error("the discovery document is another issuer's")
        return config

    def get_access_token_data(
        self, request: HttpRequest, app: SocialApp, client: Any, pkce_code_verifier: str | None = None
    ) -> Any:
        if not pkce_code_verifier:
            raise OAuth2Error("this sign-in wasn't begun here")
        self._nonce = nonce_of(pkce_code_verifier)
        return super().get_access_token_data(request, app, client, pkce_code_verifier=pkce_code_verifier)

    def complete_login(self, request: HttpRequest, app: SocialApp, token: Any, **kwargs: Any) -> SocialLogin:
        claims = self._claims(app, str(kwargs["response"].get("id_token") or ""))
        if not claims.get("email"):
            more = self._fetch_user_info(token.token)
            if more.get("sub") != claims["sub"]:
                raise OAuth2Error("the user info is somebody else's")
            claims = {**more, **claims}
        return self.get_provider().sociallogin_from_response(request, {"id_token": claims})

    def _claims(self, app: SocialApp, id_token: str) -> dict[str, Any]:
        with guarded_session() as session:
            answer = session.get(self.openid_config["jwks_uri"])
            answer.raise_for_status()
            keys = jwt.PyJWKSet.from_dict(answer.json())
        header = jwt.get_unverified_header(id_token)
        usable = [key for key in keys.keys if header.get("kid") in (None, key.key_id)]
        if len(usable) != 1 or header.get("alg") not in ALGORITHMS:
            raise OAuth2Error("the ID token isn't signed with one of the provider's keys")
        claims: dict[str, Any] = jwt.decode(
            id_token,
            key=usable[0].key,
            algorithms=[header["alg"]],
            audience=app.client_id,
            issuer=self.openid_config["issuer"],
            leeway=_CLOCK_SECONDS,
            options={"require": ["exp", "iat", "iss", "aud", "sub"]},
        )
        if claims.get("nonce") != self._nonce:
            raise OAuth2Error("the ID token is of another sign-in")
        if claims.get("azp", app.client_id) != app.client_id:
            raise OAuth2Error("the ID token is for another client")
        return claims


class SsoProvider(OpenIDConnectProvider):  # type: ignore[misc]
    pkce_enabled_default = True
    oauth2_adapter_class = _OAuth

    def get_pkce_params(self) -> dict[str, str]:
        parameters: dict[str, str] = super().get_pkce_params()
        return {**parameters, "nonce": nonce_of(parameters["code_verifier"])}

    def get_redirect_from_request_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        # What else an address could ask for, such as other scopes or linking accounts, is not for it to say.
        given = super().get_redirect_from_request_kwargs(request)
        return {name: given[name] for name in ("next_url",) if name in given} | {"process": "login"}

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        claims = data["id_token"]
        kept = ("sub", "email", "email_verified", "given_name", "family_name")
        return {"id_token": {name: claims[name] for name in kept if name in claims}}


class SsoAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Connections stand in for allauth's apps; who comes in is `domain.sso`'s to say."""

    def list_apps(self, request: HttpRequest, provider: Any = None, client_id: Any = None) -> list[SocialApp]:
        rows = SsoConnection.objects.filter(enabled=True)
        if provider is not None:
            rows = rows.filter(pk=provider)
        return [_app(row) for row in rows]

    def get_provider(self, request: HttpRequest, provider: Any, client_id: Any = None) -> SsoProvider:
        return SsoProvider(request, app=self.get_app(request, provider=provider))

    def get_requests_session(self) -> requests.Session:
        return guarded_session()

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        connection = self.get_app(request, provider=sociallogin.account.provider).connection
        known = sociallogin.user if sociallogin.is_existing else None
        try:
            member = sso.admit(connection=connection, claims=sociallogin.account.extra_data["id_token"], known=known)
        except Problem as problem:
            raise ImmediateHttpResponse(_refused(request, problem.detail)) from None
        if known is None:
            sociallogin.user = sociallogin.account.user = member
            sociallogin.account.save()

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, extra_context: Any = None
    ) -> None:
        raise ImmediateHttpResponse(_refused(request, _FAILED))

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False


def _app(row: SsoConnection) -> SocialApp:
    app = SocialApp(
        provider="openid_connect",
        provider_id=str(row.pk),
        name=row.name,
        client_id=row.client_id,
        secret=row.client_secret,
        settings={"server_url": row.issuer.rstrip("/")},
    )
    app.connection = row
    return app


def _refused(request: HttpRequest, why: str) -> HttpResponse:
    messages.error(request, why)
    return HttpResponseRedirect(reverse("account_login"))


def _asked(request: HttpRequest, provider_id: Any, view: Any) -> HttpResponse:
    try:
        response: HttpResponse = view.adapter_view(_OAuth(request, provider_id))(request)
    except SocialApp.DoesNotExist:
        raise Http404 from None
    except _FAULTS:
        return _refused(request, _FAILED)
    return response


@never_cache
@require_POST
def begin(request: HttpRequest, provider_id: Any) -> HttpResponse:
    """To the provider, and back to `finish`.

    By a page that goes on by itself: Chromium lets a form lead to another host by a redirect only if the form's page
    names it, and providers lead on to hosts of others that nobody here knows.
    """
    response = _asked(request, provider_id, OAuth2LoginView)
    address = response.get("Location", "")
    if not urlsplit(address).netloc:
        return response
    frame = site_in_force().each_context(request)
    page = render(request, "signin/to_provider.html", {**frame, "title": "Single sign-on", "address": address})
    page["Refresh"] = f"0; url={address}"
    return page


@never_cache
@require_safe
def finish(request: HttpRequest, provider_id: Any) -> HttpResponse:
    """Back from the provider: in, or to the login page with a sentence."""
    get_adapter()
    return _asked(request, provider_id, OAuth2CallbackView)
