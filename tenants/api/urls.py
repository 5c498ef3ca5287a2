from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from tenants.api.limit_views import LimitsViewSet
from tenants.api.views import ApiKeyViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("api-keys", ApiKeyViewSet, basename="api-key")
urlpatterns = [*router.urls, path("limits", LimitsViewSet.as_view({"get": "retrieve"}), name="limits")]
