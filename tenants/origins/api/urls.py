from __future__ import annotations

from rest_framework.routers import SimpleRouter

from tenants.origins.api.views import OriginViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("allowed-origins", OriginViewSet, basename="allowed-origin")
urlpatterns = router.urls
