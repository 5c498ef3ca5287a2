"""Voice sessions over REST. They come about by people speaking; nothing here writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Model, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from switchboard.kernel.problems import NotFound
from switchboard.kernel.resources import asked
from tenants.api.resources import Resource
from tenants.permissions import Permission
from voice_worker import queries
from voice_worker.api.session_serializers import (
    TimelineEntrySerializer,
    TimelineFilters,
    VoiceSessionFilters,
    VoiceSessionSerializer,
)
from voice_worker.models import VoiceSession


@extend_schema(tags=["Voice"])
class VoiceSessionViewSet(mixins.ListModelMixin, Resource[VoiceSession]):
    """What agents heard, said and saw in meetings, on calls and over sockets."""

    permissions: ClassVar[Mapping[str, Permission]] = {
        "list": Permission.CONVERSATIONS_READ,
        "retrieve": Permission.CONVERSATIONS_READ,
        "timeline": Permission.CONVERSATIONS_READ,
    }
    serializer_class = VoiceSessionSerializer
    queryset = VoiceSession.objects.all()
    what = "voice session"

    def get_queryset(self) -> QuerySet[VoiceSession]:
        return queries.sessions()

    def permission_target(self) -> Model | None:
        """The session, for whoever may do more with its agent than with others."""
        if "pk" not in self.kwargs:
            return None
        return VoiceSession.objects.select_related("conversation__agent").filter(pk=self.kwargs["pk"]).first()

    @extend_schema(summary="List voice sessions", parameters=[VoiceSessionFilters])
    def list(self, request: Request) -> Response:
        """Newest first; of one conversation, meeting or agent, on one channel, in one state, or of a span of time, if
        asked.
        """
        names = {
            "agent": "conversation__agent_id",
            "started_after": "started_at__gte",
            "started_before": "started_at__lt",
        }
        wanted = {names.get(name, name): value for name, value in asked(VoiceSessionFilters, request).items()}
        return self.listed(self.get_queryset().filter(**wanted))

    @extend_schema(summary="Retrieve a voice session")
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One session."""
        return self.shown(self.found(pk))

    @extend_schema(
        summary="List what happened in a voice session",
        parameters=[TimelineFilters],
        responses=TimelineEntrySerializer(many=True),
    )
    @action(detail=True, methods=["get"], serializer_class=TimelineEntrySerializer)
    def timeline(self, request: Request, pk: UUID) -> Response:
        """In the order of time: speech, transcripts, answers, tools, pictures and errors, in milliseconds from the
        session's start. While the session lasts, more come.
        """
        if not VoiceSession.objects.filter(pk=pk).exists():
            raise NotFound(self.what)
        names = {"turn": "turn_id", "from_ms": "at_ms__gte", "until_ms": "at_ms__lt"}
        wanted = {names.get(name, name): value for name, value in asked(TimelineFilters, request).items()}
        rows: QuerySet[Any] = queries.entries_of(pk).filter(**wanted)
        return self.listed(rows)
