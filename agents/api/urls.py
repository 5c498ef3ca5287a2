from __future__ import annotations

from rest_framework.routers import SimpleRouter

from agents.api.views import EndpointViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("endpoints", EndpointViewSet, basename="endpoint")
urlpatterns = router.urls
