"""A tenant's configuration as one document, over REST. Thin: see agents.domain.configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from agents.api.people import person
from agents.configuration.document import REGISTRIES, SECTIONS, Wanted, read_document, selects
from agents.configuration.exporting import export
from agents.configuration.plan import Options, Plan
from agents.configuration.printing import as_data, as_text
from agents.configuration.reading import MOST_BYTES, read_text
from agents.configuration.state import load
from agents.configuration.writing import as_yaml
from agents.domain.configuration import apply_configuration, plan_configuration
from switchboard.kernel.idempotency import HEADER, idempotent
from switchboard.kernel.resources import asked
from tenants.permissions import Permission, allows, require

P = Permission
# What each section asks for; those that aren't named ask for what the address itself does.
_READS: Final[Mapping[str, Permission]] = {
    "endpoints": P.SECRETS_READ,
    "collections": P.KNOWLEDGE_READ,
    "flags": P.FLAGS_READ,
}
_WRITES: Final[Mapping[str, Permission]] = {
    "endpoints": P.SECRETS_WRITE,
    "collections": P.KNOWLEDGE_WRITE,
    "flags": P.FLAGS_WRITE,
    **dict.fromkeys((*REGISTRIES, "agents"), P.AGENTS_WRITE),
}


class YamlRenderer(BaseRenderer):
    media_type = "application/yaml"
    format = "yaml"
    charset = "utf-8"

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        return as_yaml(data).encode()


class IndentedRenderer(JSONRenderer):
    """JSON in the document's own order, as people keep it in a file."""

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        return json.dumps(data, indent=2, ensure_ascii=False).encode()


class DocumentParser(BaseParser):
    """Takes a document's text as it comes: reading it is `read_text`'s, whose faults know their line."""

    media_type = "application/yaml"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        return stream.read(MOST_BYTES + 1).decode("latin-1")


class _TextParser(DocumentParser):
    media_type = "text/yaml"


class _OlderParser(DocumentParser):
    media_type = "application/x-yaml"


class _JsonParser(DocumentParser):
    media_type = "application/json"


class ExportFilters(serializers.Serializer[dict[str, Any]]):
    """Which part of a document is meant."""

    only = serializers.CharField(
        default="", help_text="Sections and entries, joined by commas, such as `agents/marina,prompts`."
    )

    def validate_only(self, value: str) -> list[str]:
        return [part.strip() for part in value.split(",") if part.strip()]


class PlanFilters(ExportFilters):
    """How a document is applied."""

    live = serializers.BooleanField(default=True, help_text="Put new releases live; else they are left as previews.")
    prune = serializers.BooleanField(default=False, help_text="Delete what the document's sections don't name.")
    overwrite_drafts = serializers.BooleanField(
        default=False, help_text="Also replace drafts that somebody hasn't published yet."
    )


class ApplyFilters(PlanFilters):
    dry_run = serializers.BooleanField(default=False, help_text="Do it all, then take it back.")
    message = serializers.CharField(
        default="", allow_blank=True, max_length=300, help_text="Why; kept with every version and release."
    )


class WordSerializer(serializers.Serializer[Any]):
    side = serializers.ChoiceField(choices=["same", "removed", "added"])
    text = serializers.CharField()


class ValueChangeSerializer(serializers.Serializer[Any]):
    """A value that differs."""

    path = serializers.CharField()
    kind = serializers.ChoiceField(choices=["added", "removed", "changed"])
    old = serializers.JSONField(allow_null=True)
    new = serializers.JSONField(allow_null=True)
    words = WordSerializer(many=True, help_text="For prose: its words.")


class StepSerializer(serializers.Serializer[Any]):
    """One thing that is done."""

    entry = serializers.CharField(help_text="Such as `agents/marina`.")
    action = serializers.CharField(
        help_text="`create`, `publish`, `go_live`, …; `keep` says what is not done, and why."
    )
    detail = serializers.CharField()
    changes = ValueChangeSerializer(many=True)


class PlanSerializer(serializers.Serializer[Any]):
    """What applying a document comes to."""

    changed = serializers.BooleanField(help_text="Whether there is, or was, anything to change.")
    applied = serializers.BooleanField()
    steps = StepSerializer(many=True)
    text = serializers.CharField(help_text="The same for people.")


_BODY: Final = {"application/yaml": OpenApiTypes.BINARY, "application/json": OpenApiTypes.OBJECT}
_DOCUMENT: Final = {(200, media_type): shape for media_type, shape in _BODY.items()}
_KEY: Final = OpenApiParameter(
    HEADER,
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="A request repeated under its key gets the first answer and does nothing twice. Kept for a day.",
)


@extend_schema(tags=["Configuration"])
class ConfigurationViewSet(ViewSet):
    """Configuration as code: endpoints, collections, flags, registries and agents in one document."""

    parser_classes = [DocumentParser, _TextParser, _OlderParser, _JsonParser]
    permissions: ClassVar[Mapping[str, Permission]] = {
        "export": Permission.AGENTS_READ,
        "diff": Permission.AGENTS_READ,
        "apply": Permission.AGENTS_PUBLISH,
    }

    def get_renderers(self) -> list[BaseRenderer]:
        return [YamlRenderer(), IndentedRenderer()] if self.action == "export" else [JSONRenderer()]

    @extend_schema(
        summary="Export the configuration",
        parameters=[ExportFilters],
        responses=_DOCUMENT,
        operation_id="config_export",
    )
    def export(self, request: Request) -> Response:
        """What is published and what serves; no drafts, keys or ids. Twice the same, byte for byte.

        Sections that the caller may not read are left out, unless `only` names them.
        """
        only = asked(ExportFilters, request)["only"]
        for section, permission in _READS.items():
            if only and selects(only, section):
                require(request.user, permission)
        readable = [name for name in SECTIONS if name not in _READS or allows(request.user, _READS[name])]
        return Response(export(load(), only=only or readable).data)

    @extend_schema(
        summary="Compare a document",
        parameters=[PlanFilters],
        request=_BODY,
        responses=PlanSerializer,
        operation_id="config_diff",
    )
    def diff(self, request: Request) -> Response:
        """What applying it would do. Nothing is changed."""
        options = asked(PlanFilters, request)
        wanted = self._wanted(request, options.pop("only"), _READS)
        return _told(plan_configuration(wanted=wanted, options=Options(**options)), applied=False)

    @extend_schema(
        summary="Apply a document",
        parameters=[ApplyFilters, _KEY],
        request=_BODY,
        responses=PlanSerializer,
        operation_id="config_apply",
    )
    @idempotent
    def apply(self, request: Request) -> Response:
        """Make the company what the document says: all of it, or nothing where any part of it fails.

        What an entry leaves out stays as it is. Applied again, it changes nothing.
        """
        options = asked(ApplyFilters, request)
        dry_run, message = options.pop("dry_run"), options.pop("message")
        wanted = self._wanted(request, options.pop("only"), _WRITES)
        plan = apply_configuration(
            wanted=wanted, options=Options(**options), dry_run=dry_run, message=message, by=person(request)
        )
        return _told(plan, applied=not dry_run)

    def _wanted(self, request: Request, only: list[str], asks: Mapping[str, Permission]) -> Wanted:
        """The document in the body, if the caller may do this with every section in it."""
        text = request.data if isinstance(request.data, str) else ""
        wanted = read_document(read_text(text.encode("latin-1")), only=only)
        for section in SECTIONS:
            if section in asks and getattr(wanted.document, section) is not None:
                require(request.user, asks[section])
        return wanted


def _told(plan: Plan, *, applied: bool) -> Response:
    return Response(
        {"changed": plan.changes_something, "applied": applied, "steps": as_data(plan), "text": as_text(plan)}
    )
