from __future__ import annotations

from rest_framework.routers import SimpleRouter

from tenants.tokens.api.views import IssuerViewSet, TokenViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("tokens", TokenViewSet, basename="token")
router.register("token-issuers", IssuerViewSet, basename="token-issuer")
urlpatterns = router.urls
