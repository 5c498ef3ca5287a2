from __future__ import annotations

from rest_framework.routers import SimpleRouter

from knowledge.api.views import CollectionViewSet, DocumentViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("collections", CollectionViewSet)
router.register("documents", DocumentViewSet)
urlpatterns = router.urls
