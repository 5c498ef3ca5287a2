"""Collections: made, described, removed."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from knowledge.models import Collection
from switchboard.kernel.problems import Conflict


def create_collection(*, name: str, slug: str, description: str = "") -> Collection:
    """A new, empty collection.

    Raises:
        Conflict: `collection_exists`, where the slug is taken.
    """
    try:
        with transaction.atomic():
            return Collection.objects.create(name=name, slug=slug, description=description)
    except IntegrityError:
        raise _exists(slug) from None


def update_collection(*, collection: Collection, name: str, slug: str, description: str = "") -> None:
    """Describe a collection anew.

    Raises:
        Conflict: `collection_exists`, where the slug is another's.
    """
    try:
        with transaction.atomic():
            Collection.objects.filter(pk=collection.pk).update(name=name, slug=slug, description=description)
    except IntegrityError:
        raise _exists(slug) from None


def delete_collection(*, collection: Collection) -> None:
    """Remove an empty collection.

    Raises:
        Conflict: `collection_not_empty`, while it has documents: their files go one by one, and on purpose.
    """
    with transaction.atomic():
        # The lock keeps a document from arriving in between: its row refers to this one.
        Collection.objects.select_for_update().filter(pk=collection.pk).first()
        if collection.documents.exists():
            raise Conflict("collection_not_empty", f"“{collection}” still has documents. Delete them first.")
        collection.delete()


def _exists(slug: str) -> Conflict:
    return Conflict("collection_exists", f"There is a collection with the slug {slug} already.")
