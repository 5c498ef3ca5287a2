"""Phone numbers under /api/v1/ on the platform's host."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from voice_worker.directory.views import PhoneNumberViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("phone-numbers", PhoneNumberViewSet, basename="phone-number")
urlpatterns = router.urls
