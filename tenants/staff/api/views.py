"""Members and invitations over REST. Thin: the rules are in tenants.staff.domain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from switchboard.kernel.idempotency import idempotent
from switchboard.kernel.problems import NotFound
from switchboard.kernel.resources import asked, checked
from tenants.api.resources import Resource
from tenants.permissions import Permission, require_whole_role
from tenants.staff import mail
from tenants.staff.api.serializers import (
    GrantFields,
    GrantSerializer,
    InvitationFields,
    InvitationSerializer,
    MemberFields,
    MemberFilters,
    MemberSerializer,
    NewInvitationSerializer,
)
from tenants.staff.domain import invitations, members, second_factor
from tenants.staff.models import Invitation, ObjectGrant, User


@extend_schema(tags=["Members"])
class MemberViewSet(mixins.ListModelMixin, Resource[User]):
    """Who works here, and as what. Nobody is deleted; who leaves is made inactive."""

    permissions: ClassVar[Mapping[str, Permission]] = {
        "list": Permission.MEMBERS_READ,
        "retrieve": Permission.MEMBERS_READ,
        "partial_update": Permission.MEMBERS_WRITE,
        "reset_second_factor": Permission.MEMBERS_WRITE,
    }
    serializer_class = MemberSerializer
    queryset = User.objects.filter(is_staff=True)
    what = "member"

    @extend_schema(summary="List members", parameters=[MemberFilters])
    def list(self, request: Request) -> Response:
        """Newest first; those with one role, or who may sign in, if asked."""
        wanted = {name: value for name, value in asked(MemberFilters, request).items() if value is not None}
        if "email" in wanted:
            wanted["email__iexact"] = wanted.pop("email")
        return self.listed(self.get_queryset().filter(**wanted))

    @extend_schema(summary="Retrieve a member")
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One member; their ETag goes into If-Match of a change."""
        return self.shown(self.found(pk))

    @extend_schema(summary="Change a member", request=MemberFields, responses=MemberSerializer)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """A member made inactive is out at once. The last owner stays one: `last_owner`."""
        changes = checked(MemberFields, request, partial=True)
        with transaction.atomic():
            row = self.found_as_seen(request, pk)
            if changes:
                require_whole_role(request.user, row.role)
                require_whole_role(request.user, changes.get("role", row.role))
                members.change_member(member=row, **changes)
        return self.shown(self.found(pk))

    @extend_schema(summary="Reset a member's second factor", request=None, responses=MemberSerializer)
    @action(detail=True, methods=["post"], url_path="reset-second-factor", url_name="reset-second-factor")
    def reset_second_factor(self, request: Request, pk: UUID) -> Response:
        """For a lost phone: they sign in with their password, and set up anew."""
        row = self.found(pk)
        require_whole_role(request.user, row.role)
        second_factor.reset_second_factor(member=row)
        return self.shown(self.found(pk))


@extend_schema(tags=["Members"])
class GrantViewSet(mixins.ListModelMixin, Resource[ObjectGrant]):
    """Roles that a member has on single objects, beside their own."""

    permissions: ClassVar[Mapping[str, Permission]] = {
        "list": Permission.MEMBERS_READ,
        "create": Permission.MEMBERS_WRITE,
        "destroy": Permission.MEMBERS_WRITE,
    }
    serializer_class = GrantSerializer
    queryset = ObjectGrant.objects.all()
    what = "grant"

    def get_queryset(self) -> QuerySet[ObjectGrant]:
        return super().get_queryset().filter(member_id=self.kwargs.get("member_id"))

    @extend_schema(summary="List a member's grants")
    def list(self, request: Request, member_id: UUID) -> Response:
        """Newest first."""
        self._member(member_id)
        return self.listed(self.get_queryset())

    @extend_schema(summary="Give a member a role on one object", request=GrantFields, responses={201: GrantSerializer})
    @idempotent
    def create(self, request: Request, member_id: UUID) -> Response:
        """A grant adds to what the member may, and never takes away."""
        member = self._member(member_id)
        fields = checked(GrantFields, request)
        require_whole_role(request.user, fields["role"])
        row = members.grant_on_object(member=member, **fields)
        return self.shown(row, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Take a grant back", responses={204: None})
    def destroy(self, request: Request, member_id: UUID, pk: UUID) -> Response:
        """The member keeps their role."""
        members.revoke_grant(grant=self.found(pk))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _member(self, member_id: UUID) -> User:
        member = User.objects.filter(pk=member_id, is_staff=True).first()
        if member is None:
            raise NotFound("member")
        return member


@extend_schema(tags=["Members"])
class InvitationViewSet(mixins.ListModelMixin, Resource[Invitation]):
    """Ways in for people who aren't members yet: a link by mail, good for a week and for once."""

    permissions: ClassVar[Mapping[str, Permission]] = {
        "list": Permission.MEMBERS_READ,
        "retrieve": Permission.MEMBERS_READ,
        "create": Permission.MEMBERS_WRITE,
        "destroy": Permission.MEMBERS_WRITE,
    }
    serializer_class = InvitationSerializer
    queryset = Invitation.objects.all()
    what = "invitation"

    @extend_schema(summary="List invitations")
    def list(self, request: Request) -> Response:
        """Newest first, those that have ended included."""
        return super().list(request)

    @extend_schema(summary="Invite somebody", request=InvitationFields, responses={201: NewInvitationSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """A mail with the link leaves at once."""
        inviter = request.user if isinstance(request.user, User) else None
        site = f"{request.scheme}://{request.get_host()}"
        fields = checked(InvitationFields, request)
        require_whole_role(request.user, fields["role"])
        row, link = invitations.invite(invited_by=inviter, site=site, **fields)
        response = self.created(row)
        response.data = {**response.data, "link": None if mail.is_delivered() else link}
        return response

    @extend_schema(summary="Retrieve an invitation")
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One invitation, without its link."""
        return self.shown(self.found(pk))

    @extend_schema(summary="Revoke an invitation", responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Its link leads nowhere from now on. Revoking it again changes nothing."""
        invitations.revoke(invitation=self.found(pk))
        return Response(status=status.HTTP_204_NO_CONTENT)
