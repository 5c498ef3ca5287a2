"""Entries of the registries as the REST API shows and takes them: alike but for the content."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Model
from rest_framework import serializers

from agents.api.contents import content_field, draft_field
from agents.api.people import PersonField
from agents.domain.components import LONGEST_TAG, MOST_TAGS
from agents.models import Agent, Component, Personality, PromptVersion
from agents.models.component import valid_slug

Fields = Mapping[str, serializers.Field[Any, Any, Any, Any]]
Shape = type[serializers.BaseSerializer[Any]]

# By the field that is shown; the cursor needs one that tells two rows apart, or nearly.
ORDERINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "created_at": ("id",),
    "-created_at": ("-id",),
    "drafted_at": ("drafted_at", "id"),
    "-drafted_at": ("-drafted_at", "-id"),
    "name": ("name", "id"),
    "-name": ("-name", "-id"),
    "slug": ("slug",),
    "-slug": ("-slug",),
}
_SHOWN: Final = (
    "id", "name", "slug", "tags", "draft_revision", "latest_version", "has_unpublished_changes", "drafted_by",
    "drafted_at", "created_at", "deleted_at",
)  # fmt: skip
_SHOWN_TOO: Final[Mapping[type[Component], tuple[str, ...]]] = {
    Agent: (
        "status", "require_tests", "live_release", "canary_release", "canary_percent", "canary_flag",
        "withdrawn_release_ids",
    ),
    Personality: ("is_default",),
}  # fmt: skip
_CHANGED_TOO: Final[Mapping[type[Component], Fields]] = {
    Agent: {
        "status": serializers.ChoiceField(
            choices=Agent.Status.choices, required=False, help_text="A paused agent takes no messages."
        ),
        "require_tests": serializers.BooleanField(
            required=False, help_text="Only a release whose tests are green may go live."
        ),
    },
    Personality: {
        "is_default": serializers.BooleanField(
            required=False, help_text="New releases take it where they name none; the default before is none any more."
        ),
    },
}


class ComponentFilters(serializers.Serializer[dict[str, Any]]):
    """Which entries are listed, and in which order."""

    q = serializers.CharField(max_length=120, required=False, help_text="A part of the name or the slug.")
    tag = serializers.CharField(max_length=LONGEST_TAG, required=False, help_text="Those with this tag.")
    published = serializers.BooleanField(
        required=False, allow_null=True, default=None, help_text="Those with, or without, a published version."
    )
    deleted = serializers.BooleanField(default=False, help_text="Those that were deleted, instead of the others.")
    ordering = serializers.ChoiceField(choices=list(ORDERINGS), default="-created_at")


class VersionSummary(serializers.ModelSerializer[Any]):
    """A published version without its content."""

    created_by = PersonField(help_text="Who published it; null: a program.")

    class Meta:
        model = PromptVersion  # all registries' versions have the same columns
        fields = ["id", "number", "checksum", "message", "created_by", "created_at"]
        read_only_fields = fields


class PublishFields(serializers.Serializer[dict[str, Any]]):
    """What is said when a draft is published."""

    message = serializers.CharField(
        max_length=300, default="", allow_blank=True, help_text="What changed, for whoever wonders later."
    )


class FaultSerializer(serializers.Serializer[Any]):
    """Why a draft can't be published."""

    field = serializers.CharField(help_text="A dotted path into the content, such as `variables.0.name`.")
    message = serializers.CharField()


class ValidationSerializer(serializers.Serializer[Any]):
    """Whether a draft can be published."""

    valid = serializers.BooleanField()
    faults = FaultSerializer(many=True)


@dataclass(frozen=True, slots=True)
class Shapes:
    """A registry's serializers."""

    summary: Shape
    whole: Shape
    fields: Shape
    changes: Shape
    version: Shape


@functools.cache
def shapes_of(kind: type[Component]) -> Shapes:
    """The serializers of one registry, named after it in the document."""
    name, content = kind.__name__, kind.content_type
    shown = [*_SHOWN, *_SHOWN_TOO.get(kind, ())]
    entry = f"An entry of the registry of {_plural(kind)}"
    summary = _summary(kind, f"{name}Summary", f"{entry}, without its draft.", shown)
    whole = _summary(
        kind,
        name,
        f"{entry} with its draft.",
        [*shown, "content"],
        content=draft_field(content, source="draft", read_only=True, help_text="The draft."),
    )
    called: dict[str, Any] = {
        "name": serializers.CharField(max_length=120),
        "tags": serializers.ListField(
            child=serializers.CharField(max_length=LONGEST_TAG), required=False, max_length=MOST_TAGS
        ),
        "content": draft_field(content, required=False, help_text="The draft; it may be unfinished."),
        **_CHANGED_TOO.get(kind, {}),
    }
    slug = serializers.CharField(
        max_length=60, validators=[valid_slug], help_text="Names it in configuration files; it stays."
    )
    changes = _plain(f"{name}Changes", f"What may be changed of {_one(kind)}. What is left out stays.", called)
    fields = _plain(f"New{name}", f"What {_one(kind)} is made of.", {"slug": slug, **called})
    version = type(
        f"{name}Version",
        (VersionSummary,),
        {
            "__doc__": f"A published version of {_one(kind)}. It never changes.",
            "content": content_field(content, read_only=True),
            "Meta": _meta(kind.version_model, [*VersionSummary.Meta.fields, "content"]),
        },
    )
    return Shapes(summary, whole, fields, changes, version)


def _summary(kind: type[Component], name: str, doc: str, shown: list[str], **more: Any) -> Shape:
    own = {
        "__doc__": doc,
        "drafted_by": PersonField(help_text="Who changed the draft last; null: a program."),
        "has_unpublished_changes": serializers.BooleanField(read_only=True),
        "Meta": _meta(kind, shown),
        **more,
    }
    return type(name, (serializers.ModelSerializer,), own)


def _plain(name: str, doc: str, fields: Mapping[str, Any]) -> Shape:
    return type(name, (serializers.Serializer,), {"__doc__": doc, **fields})


def _meta(model: type[Model], fields: list[str]) -> type:
    return type("Meta", (), {"model": model, "fields": fields, "read_only_fields": fields})


def _one(kind: type[Component]) -> str:
    return f"an {kind.word}" if kind.word[0] in "aeiou" else f"a {kind.word}"


def _plural(kind: type[Component]) -> str:
    return str(kind._meta.verbose_name_plural)
