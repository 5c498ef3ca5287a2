"""What is remembered of conversations and of contacts."""

from __future__ import annotations

from django.db import models

from switchboard.kernel.ids import uuid7

CONTACT_HELP = "Who it is about, as conversations name them."


class ConversationSummary(models.Model):
    """What was said before a conversation's window, in short. The app above knows the conversation itself."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    conversation_id = models.UUIDField(unique=True)
    contact = models.CharField(max_length=200, blank=True, help_text=CONTACT_HELP)
    text = models.TextField(blank=True)
    covered_until = models.UUIDField(help_text="The last message that it covers; ids follow time.")
    covered_messages = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "conversation summaries"
        indexes = [models.Index(fields=["contact"], condition=~models.Q(contact=""), name="summaries_of_a_contact")]

    def __str__(self) -> str:
        return self.text[:60] or str(self.conversation_id)


class ContactConsent(models.Model):
    """Whether a contact agreed that facts about them are kept; the last word counts."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    contact = models.CharField(max_length=200, unique=True, help_text=CONTACT_HELP)
    is_given = models.BooleanField()
    source = models.CharField(max_length=200, help_text="How they said so: a form, a call, a conversation.")
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.contact}: {'given' if self.is_given else 'withdrawn'}"


class ContactFact(models.Model):
    """Something about a contact, kept by their consent and not for ever."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    contact = models.CharField(max_length=200, help_text=CONTACT_HELP)
    key = models.CharField(max_length=60, help_text="What it is: `allergy`, `preferred_room`.")
    value = models.CharField(max_length=500)
    source_turn_id = models.UUIDField(null=True, blank=True, help_text="The turn in which it was said.")
    consent = models.ForeignKey(ContactConsent, on_delete=models.CASCADE, related_name="facts")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["contact", "key"], name="one_fact_per_contact_and_key")]
        indexes = [models.Index(fields=["expires_at"], name="facts_by_expiry")]

    def __str__(self) -> str:
        return self.key
