"""Tokens for end users, and the issuers whose tokens a tenant takes beside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.request import Request
from rest_framework.response import Response

from switchboard.kernel.idempotency import idempotent
from switchboard.kernel.resources import checked
from tenants.api.authentication import key_of
from tenants.api.resources import Resource
from tenants.permissions import Permission
from tenants.tokens.api.serializers import IssuerFields, IssuerSerializer, TokenFields, TokenSerializer
from tenants.tokens.domain.issuers import change_issuer, create_issuer, delete_issuer
from tenants.tokens.domain.minting import mint_token
from tenants.tokens.models import TokenIssuer


@extend_schema(tags=["Tokens"])
class TokenViewSet(Resource[TokenIssuer]):
    """Short-lived tokens, with which a tenant's end users talk from their own devices."""

    permissions: ClassVar[Mapping[str, Permission]] = {"create": Permission.TOKENS_MINT}
    serializer_class = TokenSerializer
    queryset = TokenIssuer.objects.none()
    what = "token"

    @extend_schema(summary="Mint a token", request=TokenFields, responses={201: TokenSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """For one contact, who sees their own conversations and no others. It ends by itself, and with the API key
        that it was minted with where that is revoked.
        """
        key = key_of(request._request)
        minted = mint_token(**checked(TokenFields, request), key_id=key.key_id if key else None)
        data = TokenSerializer({"token": minted.token, "token_type": "Bearer", "expires_at": minted.expires_at}).data
        return Response(data, status=status.HTTP_201_CREATED)


@extend_schema(tags=["Tokens"])
class IssuerViewSet(mixins.ListModelMixin, Resource[TokenIssuer]):
    """Identity providers of the tenant's own, such as a Cognito user pool, whose tokens are taken like ours."""

    permissions: ClassVar[Mapping[str, Permission]] = {
        "list": Permission.SETTINGS_READ,
        "retrieve": Permission.SETTINGS_READ,
        "create": Permission.SETTINGS_WRITE,
        "partial_update": Permission.SETTINGS_WRITE,
        "destroy": Permission.SETTINGS_WRITE,
    }
    serializer_class = IssuerSerializer
    queryset = TokenIssuer.objects.all()
    what = "token issuer"

    @extend_schema(summary="List token issuers")
    def list(self, request: Request) -> Response:
        """All of them."""
        return super().list(request)

    @extend_schema(summary="Add a token issuer", request=IssuerFields, responses={201: IssuerSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Its tokens are taken from now on: RS256 and ES256, with keys from its JWKS address."""
        return self.created(create_issuer(**checked(IssuerFields, request)))

    @extend_schema(summary="Retrieve a token issuer")
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One of them."""
        return self.shown(self.found(pk))

    @extend_schema(summary="Change a token issuer", request=IssuerFields, responses={200: IssuerSerializer})
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Every server goes by it within seconds."""
        with transaction.atomic():
            row = self.found_as_seen(request, pk)
            change_issuer(row=row, **checked(IssuerFields, request, partial=True))
        return self.shown(self.found(pk))

    @extend_schema(summary="Remove a token issuer", responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Its tokens are refused within seconds."""
        delete_issuer(row=self.found(pk))
        return Response(status=status.HTTP_204_NO_CONTENT)
