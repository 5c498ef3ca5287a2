from __future__ import annotations

from rest_framework.routers import SimpleRouter

from tenants.vault.api.views import SecretViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("secrets", SecretViewSet, basename="secret")
urlpatterns = router.urls
