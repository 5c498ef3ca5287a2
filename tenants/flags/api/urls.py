from __future__ import annotations

from django.urls import path, register_converter
from rest_framework.routers import SimpleRouter

from tenants.flags.api.views import FlagViewSet
from tenants.flags.models import KEY_PATTERN


class FlagKey:
    """A flag's key in an address."""

    regex = KEY_PATTERN

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(FlagKey, "flag_key")
router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("flags", FlagViewSet)
urlpatterns = [
    *router.urls,
    path("flags/<flag_key:key>/evaluate", FlagViewSet.as_view({"post": "evaluate"}), name="flag-evaluate"),
]
