"""The upload form: one collection, any number of files."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from unfold.widgets import UnfoldAdminSelectWidget

from knowledge.models import Collection


class ManyFilesInput(forms.FileInput):
    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """A file field that takes several; each is judged by `accept_document` alone, an empty one too."""

    def clean(self, data: Any, initial: Any = None) -> Any:
        files = [file for file in (data or []) if isinstance(file, UploadedFile)]
        if not files:
            raise forms.ValidationError("Choose one file at least.", code="required")
        return files


class UploadForm(forms.Form):
    collection = forms.ModelChoiceField(
        Collection.objects.all(),
        empty_label=None,
        widget=UnfoldAdminSelectWidget(),
        help_text="Where agents find them.",
    )
    uploads = ManyFilesField(
        widget=ManyFilesInput(attrs={"multiple": True, "accept": ".pdf,.txt,.md,.markdown,application/pdf,text/plain"})
    )
