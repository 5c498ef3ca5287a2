"""Where a citation leads: a page of a document, for the holder of its link and for staff."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from typing import IO, Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from knowledge import pages
from knowledge.links import QUOTE_CHARACTERS, check_token
from knowledge.models import Document
from knowledge.parsing import DocumentUnreadable
from switchboard.kernel.files import download
from switchboard.kernel.problems import Problem
from tenants.permissions import Permission, allows

CONTENT_POLICY: Final = (
    "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
_EXPIRED: Final = "This link has expired. Open the citation in the conversation again, or sign in to see the document."
_UNKNOWN: Final = "There is no such page. The document may have been deleted or replaced."


def _admitted(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Let in who holds a token for the document, or is signed in as staff; and tell nobody else whether it exists."""

    @require_safe
    @functools.wraps(view)
    def guarded(request: HttpRequest, document_id: uuid.UUID, **rest: Any) -> HttpResponseBase:
        document = Document.objects.select_related("collection").filter(pk=document_id).first()
        holds_link = check_token(request.GET.get("token", ""), document_id)
        if not (holds_link or allows(request.user, Permission.KNOWLEDGE_READ, on=document)):
            return _sentence(request, "Link expired", _EXPIRED, 403)
        if document is None:
            return _sentence(request, "Not found", _UNKNOWN, 404)
        number = rest.get("number")
        if number is not None and not 1 <= number <= max(document.pages, 1):
            return _sentence(request, "Not found", _UNKNOWN, 404)
        response = view(request, document, **rest)
        response["Content-Security-Policy"] = CONTENT_POLICY
        response["X-Content-Type-Options"] = "nosniff"
        response["Referrer-Policy"] = "no-referrer"
        response.setdefault("Cache-Control", "private, no-store")
        return response

    return guarded


@_admitted
def page(request: HttpRequest, document: Document, *, number: int) -> HttpResponse:
    """A page: its image where there is one, its text, and the quote in it."""
    quote = request.GET.get("quote", "").replace("\x00", "")[:QUOTE_CHARACTERS]
    text = pages.page_text(document, number)
    marked = pages.mark(text, quote)
    return render(
        request,
        "knowledge/page.html",
        {
            "document": document,
            "number": number,
            "pages": max(document.pages, 1),
            "marked": marked,
            "has_text": bool(text.strip()),
            "quote_missing": bool(quote) and not marked.quote,
            "quote": quote,
            "image": _url(request, "image", document, number) if pages.has_image(document) else "",
            "original": _url(request, "original", document),
            "previous": _url(request, "page", document, number - 1) if number > 1 else "",
            "next": _url(request, "page", document, number + 1) if number < document.pages else "",
        },
    )


@_admitted
def image(request: HttpRequest, document: Document, *, number: int) -> HttpResponse:
    """A PDF's page as a PNG."""
    if not pages.has_image(document):
        return _sentence(request, "Not found", _UNKNOWN, 404)
    try:
        data = pages.page_image(document, number)
    except DocumentUnreadable as error:
        return _sentence(request, "Not readable", error.detail, 422)
    except Problem as problem:
        return _sentence(request, "Busy", problem.detail, problem.status)
    except FileNotFoundError:
        return _sentence(request, "Not found", "The document's file is missing.", 404)
    # A document never changes, so neither does the picture of its page.
    return HttpResponse(data, content_type="image/png", headers={"Cache-Control": "private, max-age=86400, immutable"})


@_admitted
def original(request: HttpRequest, document: Document) -> HttpResponseBase:
    """The file as it was uploaded: to be saved, never shown, for it is what a stranger wrote."""
    try:
        file: IO[bytes] = document.file.open("rb")
    except FileNotFoundError:
        return _sentence(request, "Not found", "The document's file is missing.", 404)
    return download(request, file, filename=document.filename, size=document.size)


def _url(request: HttpRequest, name: str, document: Document, number: int | None = None) -> str:
    """A sibling address, which the same token opens."""
    parts = {"document_id": document.pk} | ({"number": number} if number is not None else {})
    address = reverse(f"documents:{name}", kwargs=parts)
    token = request.GET.get("token", "")
    return f"{address}?{urlencode({'token': token})}" if token else address


def _sentence(request: HttpRequest, title: str, sentence: str, status: int) -> HttpResponse:
    response = render(request, "knowledge/sentence.html", {"title": title, "sentence": sentence}, status=status)
    response["Content-Security-Policy"] = CONTENT_POLICY
    return response
