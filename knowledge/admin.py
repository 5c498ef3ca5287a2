"""Collections and documents in the staff's admin."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Count, Model, Q, QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST, require_safe

from knowledge import wording
from knowledge.domain import collection as collections
from knowledge.domain import documents
from knowledge.forms import UploadForm
from knowledge.models import Collection, Document
from switchboard.admin import staff_site
from switchboard.kernel.problems import Problem
from switchboard.model_admin import DomainModelAdmin, RowPageAdmin, refused, show_in_form
from tenants.permissions import Permission

_MOST_FOLLOWED = 200  # documents one page can follow; a list shows 100
_MOST_PAGES_LINKED = 60


@admin.register(Collection, site=staff_site)
class CollectionAdmin(DomainModelAdmin):
    can_add = can_change = can_delete = True
    view_permission, change_permission = Permission.KNOWLEDGE_READ, Permission.KNOWLEDGE_WRITE
    list_display = ("name", "contents", "state", "created_at")
    search_fields = ("name", "description")
    palette_fields, palette_icon = ("name", "slug"), "folder_open"
    fields = ("name", "slug", "description")
    prepopulated_fields = {"slug": ("name",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Collection]:
        open_states = [Document.Status.QUEUED, Document.Status.READING, Document.Status.EMBEDDING]
        rows: QuerySet[Collection] = super().get_queryset(request)
        return rows.annotate(
            count=Count("documents"),
            failed=Count("documents", filter=Q(documents__status=Document.Status.FAILED)),
            unsettled=Count("documents", filter=Q(documents__status__in=open_states)),
        )

    @admin.display(description="Documents", ordering="count")
    def contents(self, row: Any) -> str:
        address = reverse("admin:knowledge_document_changelist")
        word = "document" if row.count == 1 else "documents"
        return format_html(
            '<a class="sb-link" href="{}?collection__id__exact={}">{} {}</a>', address, row.pk, row.count, word
        )

    @admin.display(description="State")
    def state(self, row: Any) -> str:
        if row.failed:
            return format_html('<span class="sb-badge sb-bad">{} failed</span>', row.failed)
        if row.unsettled:
            return format_html('<span class="sb-badge sb-busy">{} being read</span>', row.unsettled)
        return format_html('<span class="sb-badge sb-good">{}</span>', "Ready") if row.count else "Empty"

    def create(self, request: HttpRequest, values: dict[str, Any]) -> Model:
        return collections.create_collection(**values)

    def update(self, request: HttpRequest, row: Model, values: dict[str, Any]) -> None:
        assert isinstance(row, Collection)
        collections.update_collection(collection=row, **values)

    def remove(self, request: HttpRequest, row: Model) -> None:
        assert isinstance(row, Collection)
        collections.delete_collection(collection=row)


class StatusFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        settled = (Document.Status.READY, Document.Status.FAILED)
        return [("open", "Being read"), *((state.value, wording.STATUS[state]) for state in settled)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Document]) -> QuerySet[Document]:
        if self.value() == "open":
            return queryset.exclude(status__in=[Document.Status.READY, Document.Status.FAILED])
        return queryset.filter(status=self.value()) if self.value() else queryset


@admin.register(Document, site=staff_site)
class DocumentAdmin(RowPageAdmin):
    can_add = can_delete = True
    view_permission, change_permission = Permission.KNOWLEDGE_READ, Permission.KNOWLEDGE_WRITE
    list_display = ("name", "collection", "state", "length", "size_in_words", "created_at")
    list_display_links = None
    list_select_related = ("collection",)
    list_filter = (StatusFilter, "collection", "media_type")
    search_fields = ("title", "filename")
    palette_fields, palette_icon = ("title", "filename"), "description"
    actions = ("read_again",)
    change_list_template = "admin/knowledge/document/list.html"

    # --- the list -------------------------------------------------------------------------------------------------

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        extra = {
            "follow_url": reverse("admin:knowledge_document_progress"),
            **(kwargs.pop("extra_context", None) or {}),
        }
        return super().changelist_view(request, *args, extra_context=extra, **kwargs)

    @admin.display(description="Document", ordering="title")
    def name(self, row: Document) -> str:
        address = reverse("admin:knowledge_document_change", args=[row.pk])
        return format_html(
            '<a class="sb-name" href="{}"><strong>{}</strong><span>{}</span></a>', address, row.title, row.filename
        )

    @admin.display(description="State", ordering="status")
    def state(self, row: Document) -> str:
        return render_to_string("admin/knowledge/document/state.html", {"state": wording.progress_of(row)})

    @admin.display(description="Pages", ordering="pages")
    def length(self, row: Document) -> str:
        return str(row.pages or "-")

    @admin.display(description="Size", ordering="size")
    def size_in_words(self, row: Document) -> str:
        return filesizeformat(row.size)

    @admin.action(description="Read again (failed documents)", permissions=["write"])
    def read_again(self, request: HttpRequest, queryset: QuerySet[Document]) -> None:
        again = 0
        for row in queryset:
            try:
                documents.retry_document(document=row)
                again += 1
            except Problem as problem:
                messages.error(request, f"{row}: {problem.detail}")
        if again:
            messages.success(request, f"{again} document{'' if again == 1 else 's'} will be read again.")

    # --- one document ---------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("progress/", wrap(require_safe(self.progress_view)), name="knowledge_document_progress"),
            path("<uuid:pk>/retry/", wrap(require_POST(self.retry_view)), name="knowledge_document_retry"),
            *super().get_urls(),
        ]

    def progress_view(self, request: HttpRequest) -> HttpResponse:
        """Where some documents stand: polled by the list while anything moves."""
        self.require(request, self.view_permission)
        wanted = []
        for text in request.GET.getlist("id")[:_MOST_FOLLOWED]:
            try:
                wanted.append(uuid.UUID(text))
            except ValueError:
                continue
        rows = Document.objects.filter(pk__in=wanted)
        answer = JsonResponse({"documents": [wording.progress_of(row) for row in rows]})
        answer["Cache-Control"] = "no-store"
        return answer

    def retry_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        row = self.row(request, self.change_permission, Document.objects.select_related("collection"), pk=pk)
        address = reverse("admin:knowledge_document_change", args=[pk])
        try:
            documents.retry_document(document=row)
        except Problem as problem:
            return refused(request, problem, to=address)
        messages.success(request, f"“{row}” will be read again.")
        return HttpResponseRedirect(address)

    def row_page(self, request: HttpRequest, row: Document) -> HttpResponse:
        is_ready = row.status == Document.Status.READY
        return self.page(
            request,
            "admin/knowledge/document/detail.html",
            title=row.title,
            original=row,
            document=row,
            state=wording.progress_of(row),
            may_change=self.has_write_permission(request, row),
            follow_url=reverse("admin:knowledge_document_progress"),
            page_numbers=range(1, min(row.pages, _MOST_PAGES_LINKED) + 1) if is_ready else (),
        )

    def remove(self, request: HttpRequest, row: Model) -> None:
        assert isinstance(row, Document)
        documents.delete_document(document=row)

    # --- upload ---------------------------------------------------------------------------------------------------

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            form = UploadForm(request.POST, request.FILES)
            if form.is_valid() and not self._accept_all(request, form):
                return HttpResponseRedirect(reverse("admin:knowledge_document_changelist"))
        else:
            form = UploadForm(initial={"collection": request.GET.get("collection")})
        return self.page(
            request,
            "admin/knowledge/document/upload.html",
            title="Upload documents",
            status=422 if form.errors else 200,
            form=form,
            has_collections=Collection.objects.exists(),
            limit_mb=settings.UPLOAD_LIMIT_BYTES // (1024 * 1024),
            limit_bytes=settings.UPLOAD_LIMIT_BYTES,
        )

    @staticmethod
    def _accept_all(request: HttpRequest, form: UploadForm) -> int:
        """Take each file in by itself, so that one keeps no other out. Returns how many were refused."""
        files: list[UploadedFile[bytes]] = form.cleaned_data["uploads"]
        refused_files = 0
        for upload in files:
            try:
                documents.accept_document(collection=form.cleaned_data["collection"], upload=upload)
            except Problem as problem:
                refused_files += 1
                _name_file(form, upload.name or "", problem)
        if accepted := len(files) - refused_files:
            word = "document is" if accepted == 1 else "documents are"
            messages.success(request, f"{accepted} {word} being read.")
        return refused_files


def _name_file(form: Form, filename: str, problem: Problem) -> None:
    """A refused file's own sentence, under the field."""
    named = Problem(problem.code, f"{filename}: {problem.detail}", status=problem.status)
    named.errors = [{"field": "uploads", "message": named.detail}]
    show_in_form(form, named)
