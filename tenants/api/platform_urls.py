"""What operators and platform keys find under /api/v1/ on the platform's host."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from tenants.api.tenant_views import TenantViewSet
from tenants.api.views import PlatformKeyViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("tenants", TenantViewSet, basename="tenant")
router.register("api-keys", PlatformKeyViewSet, basename="platform-key")
urlpatterns = router.urls
