"""The API's document and the page that shows it, on every host."""

from __future__ import annotations

from django.urls import path

from switchboard import openapi

urlpatterns = [
    path("openapi.json", openapi.document_view, name="openapi"),
    path("docs", openapi.page_view, name="api-docs"),
]
