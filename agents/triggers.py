"""What the database itself refuses: changing what was published, and releases of parts that aren't there. And what it
writes down: each change, into the audit trail.

Domain code says the same in words; these hold for a shell, a bulk update and a bug as well.
"""

from __future__ import annotations

from typing import Final

from django.db.migrations import RunSQL
from django.db.migrations.operations.base import Operation

from tenants.audit.triggers import audited

IMMUTABLE: Final = (
    "agents_promptversion",
    "agents_toolversion",
    "agents_personalityversion",
    "agents_runtimeconfigversion",
    "agents_agentversion",
    "agents_release",
)

REGISTRIES: Final = ("prompt", "tool", "personality", "runtime_config", "agent")

# Foreign keys hold the single parts; arrays have none, so this looks for theirs, in the schema of the release itself.
_CHECK_PARTS: Final = """
CREATE FUNCTION agents_check_release_parts() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    part record;
    missing bigint;
BEGIN
    FOR part IN VALUES
        ('agents_toolversion', NEW.tool_version_ids),
        ('agents_release', NEW.sub_release_ids),
        ('knowledge_collection', NEW.collection_ids),
        ('agents_testcase', NEW.test_case_ids)
    LOOP
        EXECUTE format('SELECT count(*) FROM unnest($1) wanted WHERE NOT EXISTS '
                       '(SELECT FROM %I.%I there WHERE there.id = wanted)', TG_TABLE_SCHEMA, part.column1)
            INTO missing USING part.column2;
        IF missing > 0 THEN
            RAISE EXCEPTION 'a release names % missing rows of %', missing, part.column1
                USING ERRCODE = 'foreign_key_violation';
        END IF;
    END LOOP;
    IF (SELECT NEW.snapshot ->> 'agent') IS NULL OR NEW.snapshot -> 'agent' ->> 'id' <> NEW.agent_id::text THEN
        RAISE EXCEPTION 'the snapshot is of another agent' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER release_parts_exist BEFORE INSERT ON agents_release
    FOR EACH ROW EXECUTE FUNCTION agents_check_release_parts();
"""


def operations() -> list[Operation]:
    """What the app's migration runs once its tables are there."""
    return [
        *[
            RunSQL(
                f"CREATE TRIGGER {table}_is_immutable BEFORE UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION public.refuse_change()",
                f"DROP TRIGGER {table}_is_immutable ON {table}",
            )
            for table in IMMUTABLE
        ],
        RunSQL(_CHECK_PARTS, "DROP FUNCTION agents_check_release_parts() CASCADE"),
        *[audited(f"agents_{word.replace('_', '')}", entity=word, label="name") for word in REGISTRIES],
        # What a version or a release holds stays where it is for ever; its checksum is enough to tell.
        *[
            audited(
                f"agents_{word.replace('_', '')}version", entity=f"{word}_version", label="number", ignored=["content"]
            )
            for word in REGISTRIES
        ],
        audited("agents_release", entity="release", label="number", ignored=("snapshot",)),
        audited("agents_testcase", entity="test_case", label="name", ignored=("updated_at", "revision")),
        audited("agents_modelendpoint", entity="model_endpoint", label="name", hidden=("api_key",)),
        audited("agents_toolcredential", entity="tool_credential", label="contact", hidden=("value",)),
        # Of a conversation's summary the trail has that there is one, and who erased it; never what was said.
        audited(
            "agents_conversationsummary",
            entity="conversation_summary",
            hidden=("contact",),
            ignored=("covered_until", "covered_messages", "updated_at", "text"),
        ),
        audited("agents_contactconsent", entity="contact_consent", hidden=("contact",), ignored=("changed_at",)),
        audited(
            "agents_contactfact",
            entity="contact_fact",
            label="key",
            hidden=("contact", "value"),
            ignored=("updated_at",),
        ),
    ]
