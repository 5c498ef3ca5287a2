"""The web pages from which a tenant's API may be called."""

from __future__ import annotations

from django.db import models

from switchboard.kernel.ids import uuid7


class AllowedOrigin(models.Model):
    """An origin as browsers send it, or all subdomains of a domain."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    origin = models.CharField(
        max_length=300, unique=True, help_text="Such as https://www.example.com, or https://*.example.com."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["origin"]

    def __str__(self) -> str:
        return self.origin
