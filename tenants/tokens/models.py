"""Whose tokens a tenant takes beside the platform's own."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from switchboard.kernel.ids import uuid7

ALGORITHMS = ("RS256", "ES256")


def all_algorithms() -> list[str]:
    """Every algorithm that an issuer may sign with."""
    return list(ALGORITHMS)


class TokenIssuer(models.Model):
    """An identity provider of the tenant's own, such as a Cognito user pool: what it signs names a contact."""

    class AudienceClaim(models.TextChoices):
        AUD = "aud"
        CLIENT_ID = "client_id"  # Cognito's access tokens have no `aud`

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=80)
    issuer = models.CharField(max_length=300, unique=True, help_text="The `iss` of its tokens, to the letter.")
    jwks_url = models.CharField(max_length=500, help_text="Where its public keys are.")
    audience = models.CharField(max_length=300, help_text="What its tokens say whom they are for.")
    audience_claim = models.CharField(max_length=12, choices=AudienceClaim, default=AudienceClaim.AUD)
    algorithms = ArrayField(models.CharField(max_length=8), default=all_algorithms)
    contact_claim = models.CharField(max_length=80, default="sub", help_text="The claim that names the contact.")
    contact_prefix = models.CharField(
        max_length=40, blank=True, help_text="Put before the contact's name, so that two issuers never name the same."
    )
    session_claim = models.CharField(max_length=80, blank=True)
    tenant_claim = models.CharField(
        max_length=80, blank=True, help_text="A claim that must hold `tenant_value`, such as `custom:tenant`."
    )
    tenant_value = models.CharField(max_length=200, blank=True)
    groups_claim = models.CharField(
        max_length=80, blank=True, help_text="A claim with a list that must hold `required_group`: `cognito:groups`."
    )
    required_group = models.CharField(max_length=200, blank=True)
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        verbose_name = "token issuer"

    def __str__(self) -> str:
        return self.name
