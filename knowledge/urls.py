"""Addresses of documents on a tenant's host."""

from __future__ import annotations

from django.urls import path

from knowledge import views

app_name = "documents"
urlpatterns = [
    path("<uuid:document_id>/pages/<int:number>", views.page, name="page"),
    path("<uuid:document_id>/pages/<int:number>/image", views.image, name="image"),
    path("<uuid:document_id>/original", views.original, name="original"),
]
