from __future__ import annotations

from rest_framework.routers import SimpleRouter

from voice_worker.api.session_views import VoiceSessionViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("voice-sessions", VoiceSessionViewSet, basename="voice-session")
urlpatterns = router.urls
