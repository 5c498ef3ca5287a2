"""Leads, reservations, and the calendars that say when there is room."""

from __future__ import annotations

import secrets

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from agents.models.component import valid_slug
from switchboard.kernel.ids import uuid7

_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # none that is taken for another when it is read out


def new_reference() -> str:
    """What a contact is told of their reservation: short enough to be said, too long to be guessed."""
    return "".join(secrets.choice(_LETTERS) for _ in range(8))


class Lead(models.Model):
    """Somebody who wants to hear from the company."""

    class Status(models.TextChoices):
        NEW = "new"
        CONTACTED = "contacted"
        WON = "won"
        LOST = "lost"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=120)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=40, blank=True)
    interest = models.CharField(max_length=1000, blank=True, help_text="What it is about, in a sentence.")
    status = models.CharField(max_length=10, choices=Status, default=Status.NEW)
    contact = models.CharField(max_length=200, blank=True)
    conversation_id = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(email="", phone=""), name="a_lead_can_be_reached"),
        ]

    def __str__(self) -> str:
        return self.name


class ReservationCalendar(models.Model):
    """When something can be reserved, and for how many at a time.

    `opening_times` has a list of `["HH:MM", "HH:MM"]` for each weekday, `mon` to `sun`; a day that isn't there is
    closed. Reservations begin every `slot_minutes` and last `duration_minutes`.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=120, help_text="What is reserved, such as: A table in the restaurant.")
    slug = models.CharField(max_length=60, unique=True, validators=[valid_slug])
    time_zone = models.CharField(max_length=60, default="UTC")
    opening_times = models.JSONField(default=dict)
    capacity = models.PositiveIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(10_000)], help_text="Most people at a time."
    )
    largest_party = models.PositiveIntegerField(default=8, validators=[MinValueValidator(1)])
    slot_minutes = models.PositiveIntegerField(default=30, validators=[MinValueValidator(5), MaxValueValidator(1440)])
    duration_minutes = models.PositiveIntegerField(
        default=90, validators=[MinValueValidator(5), MaxValueValidator(1440)]
    )
    days_ahead = models.PositiveIntegerField(default=90, validators=[MinValueValidator(1), MaxValueValidator(730)])
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name


class Reservation(models.Model):
    """Room kept for somebody."""

    class Status(models.TextChoices):
        CONFIRMED = "confirmed"
        CANCELLED = "cancelled"
        ARRIVED = "arrived"
        MISSED = "missed"

    # What takes up room.
    STANDING = (Status.CONFIRMED, Status.ARRIVED)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    reference = models.CharField(max_length=8, unique=True, default=new_reference, editable=False)
    calendar = models.ForeignKey(ReservationCalendar, on_delete=models.PROTECT, related_name="reservations")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    party_size = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    name = models.CharField(max_length=120)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=40, blank=True)
    notes = models.CharField(max_length=1000, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.CONFIRMED)
    contact = models.CharField(max_length=200, blank=True)
    conversation_id = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["calendar", "starts_at"], name="reservations_of_a_day")]
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=models.F("starts_at")), name="a_reservation_lasts")
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.name}"
