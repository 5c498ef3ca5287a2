"""Voice sessions and what happened in them."""

from __future__ import annotations

import datetime as dt

import factory
from django.utils import timezone

from tests.factories import ConversationFactory
from voice_worker.models import TimelineEntry, VoiceSession


class VoiceSessionFactory(factory.django.DjangoModelFactory[VoiceSession]):
    """A session that has ended, in which nothing happened."""

    class Meta:
        model = VoiceSession

    conversation = factory.SubFactory(ConversationFactory)
    channel = VoiceSession.Channel.AUDIO
    status = VoiceSession.Status.ENDED
    worker = "voice-1"
    ended_at = factory.LazyFunction(lambda: timezone.now() + dt.timedelta(seconds=30))


class TimelineEntryFactory(factory.django.DjangoModelFactory[TimelineEntry]):
    class Meta:
        model = TimelineEntry

    session = factory.SubFactory(VoiceSessionFactory)
    kind = TimelineEntry.Kind.USER_SPEECH
    at_ms = factory.Sequence(lambda n: n * 100)
