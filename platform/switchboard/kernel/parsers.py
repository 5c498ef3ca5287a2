"""Request bodies, read within bounds: DRF's own parsers read a body of any size and follow any charset."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from django.conf import settings
from rest_framework import parsers
from rest_framework.exceptions import ParseError

from switchboard.kernel.problems import Problem

# What a multipart form holds beside its files.
FORM_BYTES: Final = 1024 * 1024


class JsonParser(parsers.JSONParser):
    """JSON in UTF-8 (RFC 8259 §8.1), of DATA_UPLOAD_MAX_MEMORY_SIZE bytes at most."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise Problem("too_large", f"The body is larger than {limit:,} bytes.", status=413)
        try:
            return json.loads(body.decode(), parse_constant=_refuse)
        except RecursionError:
            raise ParseError("The JSON is nested too deeply.") from None
        except ValueError as error:
            raise ParseError(f"The body is not JSON: {_printable(error)}") from None


class UploadParser(parsers.MultiPartParser):
    """A multipart form with a file, refused by its announced length before it is read."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        context = dict(parser_context or {})
        try:
            length = int(context["request"].META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = 0
        if length > settings.UPLOAD_LIMIT_BYTES + FORM_BYTES:
            limit = settings.UPLOAD_LIMIT_BYTES // (1024 * 1024)
            raise Problem("document_too_large", f"The file is larger than {limit} MB.", status=413)
        context["encoding"] = "utf-8"
        return super().parse(stream, media_type, context)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a JSON number")


def _printable(error: ValueError) -> str:
    return str(error).encode("ascii", "replace").decode()[:200]
