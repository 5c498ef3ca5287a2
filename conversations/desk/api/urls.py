from __future__ import annotations

from rest_framework.routers import SimpleRouter

from conversations.desk.api.views import CalendarViewSet, LeadViewSet, ReservationViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("leads", LeadViewSet, basename="lead")
router.register("reservations", ReservationViewSet, basename="reservation")
router.register("reservation-calendars", CalendarViewSet, basename="reservation-calendar")
urlpatterns = router.urls
