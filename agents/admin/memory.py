"""What is remembered of contacts and conversations, in the staff's admin: read and erased."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from agents.domain import memory
from agents.models import ContactConsent, ContactFact, ConversationSummary
from switchboard.admin import staff_site
from switchboard.model_admin import DomainModelAdmin
from tenants.permissions import Permission


class RememberedAdmin(DomainModelAdmin):
    """Rows that agents write: shown, and erased."""

    can_delete = True
    view_permission, change_permission = Permission.CONVERSATIONS_READ, Permission.CONVERSATIONS_WRITE
    search_fields: ClassVar[tuple[str, ...]] = ("contact",)
    shown: ClassVar[tuple[str, ...]] = ()

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Sequence[str]:
        return self.shown

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Sequence[str]:
        return self.shown


@admin.register(ContactFact, site=staff_site)
class ContactFactAdmin(RememberedAdmin):
    list_display = ("key", "value", "contact", "updated_at", "expires_at")
    shown = ("contact", "key", "value", "source_turn_id", "created_at", "updated_at", "expires_at")

    def remove(self, request: HttpRequest, row: Model) -> None:
        assert isinstance(row, ContactFact)
        memory.forget_fact(fact=row)


@admin.register(ContactConsent, site=staff_site)
class ContactConsentAdmin(RememberedAdmin):
    """Whoever is deleted here is forgotten whole: facts and summaries too."""

    list_display = ("contact", "is_given", "source", "changed_at")
    shown = ("contact", "is_given", "source", "changed_at")

    def remove(self, request: HttpRequest, row: Model) -> None:
        assert isinstance(row, ContactConsent)
        memory.forget_contact(contact=row.contact)


@admin.register(ConversationSummary, site=staff_site)
class ConversationSummaryAdmin(RememberedAdmin):
    list_display = ("short", "contact", "covered_messages", "updated_at")
    search_fields: ClassVar[tuple[str, ...]] = ("contact", "text")
    shown = ("conversation_id", "contact", "text", "covered_messages", "created_at", "updated_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ConversationSummary]:
        rows: QuerySet[ConversationSummary] = super().get_queryset(request)
        return rows.exclude(text="")

    @admin.display(description="Summary")
    def short(self, row: ConversationSummary) -> str:
        return row.text[:120]

    def remove(self, request: HttpRequest, row: Model) -> None:
        assert isinstance(row, ConversationSummary)
        memory.forget_conversation(conversation_id=row.conversation_id)
