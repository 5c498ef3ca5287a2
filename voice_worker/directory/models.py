"""Rooms and phone numbers, and the tenants they lead to."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models

from switchboard.kernel.ids import uuid7
from tenants.models import Tenant

# ITU-T E.164: a plus, and up to fifteen digits.
valid_number = RegexValidator(r"^\+[1-9][0-9]{6,14}\Z", "Write the number as +, country code and number: +4930123456.")


class Room(models.Model):
    """A LiveKit room of ours. One that stands nowhere here belongs to nobody, whatever it is called."""

    name = models.CharField(max_length=80, primary_key=True)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    meeting_id = models.UUIDField(unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True, blank=True, help_text="Since when nobody is let in any more.")

    def __str__(self) -> str:
        return self.name


class PhoneNumber(models.Model):
    """A number that is answered by a tenant's agent."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    number = models.CharField(max_length=16, unique=True, validators=[valid_number])
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    agent_id = models.UUIDField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["number"]

    def __str__(self) -> str:
        return self.number
