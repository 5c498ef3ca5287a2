from __future__ import annotations

from rest_framework.routers import SimpleRouter

from billing.api.views import UsageViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("usage", UsageViewSet, basename="usage")
urlpatterns = router.urls
