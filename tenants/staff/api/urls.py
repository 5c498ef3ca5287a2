from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from tenants.staff.api.views import GrantViewSet, InvitationViewSet, MemberViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("members", MemberViewSet, basename="member")
router.register("invitations", InvitationViewSet, basename="invitation")
urlpatterns = [
    *router.urls,
    path(
        "members/<uuid:member_id>/grants",
        GrantViewSet.as_view({"get": "list", "post": "create"}),
        name="member-grants",
    ),
    path(
        "members/<uuid:member_id>/grants/<uuid:pk>",
        GrantViewSet.as_view({"delete": "destroy"}),
        name="member-grant",
    ),
]
