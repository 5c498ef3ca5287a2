from __future__ import annotations

from rest_framework.routers import SimpleRouter

from tenants.api.views import ApiKeyViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("api-keys", ApiKeyViewSet, basename="api-key")
urlpatterns = router.urls
