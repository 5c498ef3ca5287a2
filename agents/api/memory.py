"""What is remembered, over REST: read, given by consent, erased. Thin: the rules are in agents.domain.memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from agents.domain import memory
from agents.models import ContactConsent, ContactFact, ConversationSummary
from switchboard.kernel.idempotency import idempotent
from switchboard.kernel.resources import asked, checked
from tenants.api.resources import Resource
from tenants.permissions import Permission

_READ, _WRITE = Permission.CONVERSATIONS_READ, Permission.CONVERSATIONS_WRITE


class ConsentSerializer(serializers.ModelSerializer[ContactConsent]):
    """Whether a contact agreed that facts about them are kept."""

    class Meta:
        model = ContactConsent
        fields = ["id", "contact", "is_given", "source", "changed_at"]
        read_only_fields = fields


class FactSerializer(serializers.ModelSerializer[ContactFact]):
    """Something about a contact, kept by their consent."""

    class Meta:
        model = ContactFact
        fields = ["id", "contact", "key", "value", "source_turn_id", "created_at", "updated_at", "expires_at"]
        read_only_fields = fields


class SummarySerializer(serializers.ModelSerializer[ConversationSummary]):
    """What was said before a conversation's window, in short."""

    conversation = serializers.UUIDField(source="conversation_id")

    class Meta:
        model = ConversationSummary
        fields = ["id", "conversation", "contact", "text", "covered_messages", "updated_at", "erased_at"]
        read_only_fields = fields


class ConsentFields(serializers.Serializer[dict[str, Any]]):
    """A contact's word; the last one counts."""

    contact = serializers.CharField(max_length=200, help_text="Who it is, as conversations name them.")
    is_given = serializers.BooleanField(help_text="False withdraws it, and erases the facts.")
    source = serializers.CharField(  # type: ignore[assignment]  # DRF's fields have an attribute of that name
        max_length=200, help_text="How they said so: a form, a call, a conversation."
    )


class FactFields(serializers.Serializer[dict[str, Any]]):
    """A fact to be kept."""

    contact = serializers.CharField(max_length=200)
    key = serializers.RegexField(r"^[a-z][a-z0-9_]{0,59}$", help_text="Such as `preferred_room`.")
    value = serializers.CharField(max_length=500)
    days = serializers.IntegerField(min_value=1, max_value=3650, default=365, help_text="How long it is kept.")


class ContactFilter(serializers.Serializer[dict[str, Any]]):
    """Whose are listed."""

    contact = serializers.CharField(max_length=200, required=False)


class SummaryFilters(ContactFilter):
    """Which summaries are listed."""

    conversation = serializers.UUIDField(required=False)


class ForgetFields(serializers.Serializer[dict[str, Any]]):
    """Who is to be forgotten."""

    contact = serializers.CharField(max_length=200)


class ForgottenSerializer(serializers.Serializer[dict[str, Any]]):
    """How much was erased."""

    facts = serializers.IntegerField()
    summaries = serializers.IntegerField()
    traces = serializers.IntegerField(help_text="Of turns: what models were shown, and what they were told.")


@extend_schema(tags=["Memory"])
class ConsentViewSet(mixins.ListModelMixin, Resource[ContactConsent]):
    """Which contacts agreed that facts about them are kept."""

    permissions: ClassVar[Mapping[str, Permission]] = {"list": _READ, "retrieve": _READ, "create": _WRITE}
    serializer_class = ConsentSerializer
    queryset = ContactConsent.objects.all()
    what = "consent"

    @extend_schema(summary="List consents", parameters=[ContactFilter])
    def list(self, request: Request) -> Response:
        """Newest first; of one contact, if asked."""
        return self.listed(_of_contact(self.get_queryset(), request))

    @extend_schema(summary="Note a consent", request=ConsentFields, responses={201: ConsentSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Given or withdrawn; with a consent that is withdrawn go the facts."""
        return self.created(memory.set_consent(**checked(ConsentFields, request)))

    @extend_schema(summary="Retrieve a consent")
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One contact's consent."""
        return self.shown(self.found(pk))


@extend_schema(tags=["Memory"])
class FactViewSet(mixins.ListModelMixin, Resource[ContactFact]):
    """Facts about contacts, by their consent and with an expiry."""

    permissions: ClassVar[Mapping[str, Permission]] = {
        "list": _READ,
        "retrieve": _READ,
        "create": _WRITE,
        "destroy": _WRITE,
    }
    serializer_class = FactSerializer
    queryset = ContactFact.objects.all()
    what = "fact"

    @extend_schema(summary="List facts about contacts", parameters=[ContactFilter])
    def list(self, request: Request) -> Response:
        """Newest first; of one contact, if asked."""
        return self.listed(_of_contact(self.get_queryset(), request))

    @extend_schema(summary="Keep a fact", request=FactFields, responses={201: FactSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """In the place of an earlier one of the same key. `consent_missing` where the contact has not agreed."""
        return self.created(memory.keep_fact(**checked(FactFields, request)))

    @extend_schema(summary="Retrieve a fact")
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One fact."""
        return self.shown(self.found(pk))

    @extend_schema(summary="Erase a fact", responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """For good."""
        memory.forget_fact(fact=self.found(pk))
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["Memory"])
class SummaryViewSet(mixins.ListModelMixin, Resource[ConversationSummary]):
    """What is remembered of long conversations."""

    permissions: ClassVar[Mapping[str, Permission]] = {"list": _READ, "retrieve": _READ, "destroy": _WRITE}
    serializer_class = SummarySerializer
    queryset = ConversationSummary.objects.all()
    what = "summary"

    @extend_schema(summary="List summaries of conversations", parameters=[SummaryFilters])
    def list(self, request: Request) -> Response:
        """Newest first; of one contact or conversation, if asked."""
        wanted = asked(SummaryFilters, request)
        rows = _of_contact(self.get_queryset(), request)
        if "conversation" in wanted:
            rows = rows.filter(conversation_id=wanted["conversation"])
        return self.listed(rows)

    @extend_schema(summary="Retrieve a summary")
    def retrieve(self, request: Request, pk: UUID) -> Response:
        """One conversation's."""
        return self.shown(self.found(pk))

    @extend_schema(summary="Erase a summary", responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """The thread stays; what it holds by now is not summed up again, and the row says when it was erased."""
        memory.forget_conversation(conversation_id=self.found(pk).conversation_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema(tags=["Memory"])
class ForgettingViewSet(Resource[Any]):
    """Everything that is remembered of one contact."""

    permissions: ClassVar[Mapping[str, Permission]] = {"forget": _WRITE}
    serializer_class = ForgottenSerializer
    queryset = ContactFact.objects.none()

    @extend_schema(summary="Forget a contact", request=ForgetFields, responses=ForgottenSerializer)
    def forget(self, request: Request) -> Response:
        """Their facts, their consent, the summaries of their conversations and the traces of their turns. The threads
        themselves stay, and the record of what was done for them.
        """
        done = memory.forget_contact(**checked(ForgetFields, request))
        return Response({"facts": done.facts, "summaries": done.summaries, "traces": done.traces})


def _of_contact(rows: QuerySet[Any], request: Request) -> QuerySet[Any]:
    contact = request.query_params.get("contact")
    if contact is None:
        return rows
    return rows.filter(contact=asked(ContactFilter, request)["contact"])
