from __future__ import annotations

from rest_framework.routers import SimpleRouter

from tenants.audit.api.views import AuditEventViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("audit", AuditEventViewSet, basename="audit-event")
urlpatterns = router.urls
