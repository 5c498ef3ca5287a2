"""What the database itself keeps: a collection's revision, which moves with whatever can be found in it.

Whoever keeps something made from documents (an answer, say) keeps the revision beside it, and knows by it whether the
documents are still those. A trigger moves it, so that a shell and a bulk update do too, in the transaction of the
change itself.
"""

from __future__ import annotations

from typing import Final

from django.db.migrations import RunSQL

# Only what is ready can be found. The table is named with its schema, for a trigger keeps no search path.
_MOVE: Final = """
CREATE FUNCTION knowledge_move_revision() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moved uuid[] := '{}';
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.status = 'ready' THEN
        moved := moved || OLD.collection_id;
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.status = 'ready' THEN
        moved := moved || NEW.collection_id;
    END IF;
    EXECUTE format('UPDATE %I.knowledge_collection SET revision = revision + 1 WHERE id = ANY($1)', TG_TABLE_SCHEMA)
        USING moved;
    RETURN NULL;
END $$;
CREATE TRIGGER document_moves_revision AFTER INSERT OR UPDATE OR DELETE ON knowledge_document
    FOR EACH ROW EXECUTE FUNCTION knowledge_move_revision();
CREATE FUNCTION knowledge_move_revisions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('UPDATE %I.knowledge_collection SET revision = revision + 1', TG_TABLE_SCHEMA);
    RETURN NULL;
END $$;
CREATE TRIGGER documents_emptied AFTER TRUNCATE ON knowledge_document
    FOR EACH STATEMENT EXECUTE FUNCTION knowledge_move_revisions();
"""
_UNDO: Final = "DROP FUNCTION knowledge_move_revision() CASCADE; DROP FUNCTION knowledge_move_revisions() CASCADE"


def operations() -> list[RunSQL]:
    """What the app's migration runs once its tables are there."""
    return [RunSQL(_MOVE, _UNDO)]
