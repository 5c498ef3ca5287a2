"""Every model is audited, or here with the reason why not: a new one is put on this list, or this fails."""

import pytest
from django.apps import apps
from django.db import connection

from tenants.context import use_public

NOT_AUDITED = {
    "tenants.SchemaTemplate": "follows from the migrations",
    "tenants.WorkLease": "a process's note of what it is at work on",
    "contenttypes.ContentType": "follows from the code",
    "auth.Permission": "follows from the code",
    "auth.Group": "Django's; no page or address makes one",
    "auth.Group_permissions": "Django's; no page or address makes one",
    "staff.User_groups": "Django's; no page or address makes one",
    "staff.User_user_permissions": "Django's; no page or address makes one",
    "account.EmailAddress": "follows from a sign-in at a provider; a member's address is the member's",
    "account.EmailConfirmation": "allauth's; no page or address makes one",
    "mfa.Authenticator": "used codes change it; that one was added or removed is noted at the member, who is audited",
    "socialaccount.SocialAccount": "follows from a sign-in at a provider; that is a log's to say",
    "socialaccount.SocialApp": "allauth's; SsoConnection, which is audited, takes its place",
    "socialaccount.SocialToken": "allauth's; no token is kept",
    "admin.LogEntry": "Django's own trail, for which nobody reads",
    "sessions.Session": "whoever signs in or out changes it; that is a log's to say",
    "audit.AuditEvent": "it is the trail",
    "audit.ChainHead": "it is the trail's end",
    "billing.UsageEvent": "a ledger of its own",
    "knowledge.Chunk": "made from a document, and only from it",
    "agents.TestRun": "what tests came to is kept for itself, with who started them",
    "agents.TestResult": "as its run",
    "agents.Action": "what a contact asks for while they talk; what was done of it is in its tool's record",
    "agents.TurnTrace": "a record itself, of how an answer came about",
    "agents.ToolCallRecord": "it is the record of what was done, and for whom",
    "agents.CachedAnswer": "made from documents, and only from them",
    "conversations.Conversation": "what people say is no configuration; it has a history of its own",
    "conversations.Turn": "as its conversation",
    "conversations.Message": "as its conversation",
    "conversations.Notice": "as its conversation",
    "directory.Room": "follows from a meeting",
    "voice_worker.Meeting": "what people do while they talk; it is a record itself",
    "voice_worker.Participant": "as its meeting",
    "voice_worker.VoiceSession": "what happens while people speak; its time axis is its record",
    "voice_worker.TimelineEntry": "as its session",
}


def models():
    return {model._meta.label: model for model in apps.get_models(include_auto_created=True) if not model._meta.proxy}


def schemas_with_trigger(table, schema_names, trigger="audit_change"):
    with use_public(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relnamespace::regnamespace::text, bool_or(t.tgname IS NOT NULL) FROM pg_class c "
            "LEFT JOIN pg_trigger t ON t.tgrelid = c.oid AND t.tgname = %s "
            "WHERE c.relname = %s AND c.relkind = 'r' AND c.relnamespace::regnamespace::text = ANY(%s) GROUP BY 1",
            [trigger, table, schema_names],
        )
        return dict(cursor.fetchall())


@pytest.mark.parametrize("label", sorted(models()))
def test_a_model_is_audited_or_says_why_not(harbour, label):
    found = schemas_with_trigger(models()[label]._meta.db_table, ["public", harbour.schema_name])
    assert found
    assert set(found.values()) == {label not in NOT_AUDITED}, (
        f"{label}: audit its table with `audited(...)` in the migration that makes it, or give the reason why not here"
    )


def test_the_list_holds_nothing_that_is_gone():
    assert set(NOT_AUDITED) <= set(models())


def test_a_columns_name_that_a_trigger_was_given_is_one(harbour):
    wrong = []
    with use_public(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, t.tgargs FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "WHERE t.tgname = 'audit_change' AND c.relnamespace::regnamespace::text IN ('public', %s)",
            [harbour.schema_name],
        )
        columns = {
            model._meta.db_table: {field.column for field in model._meta.concrete_fields} for model in models().values()
        }
        for table, arguments in cursor.fetchall():
            _, label, key, ignored, hidden, tenant, _, _ = bytes(arguments).decode().split("\0")
            named = {label, key, tenant, *ignored.strip("{}").split(","), *hidden.strip("{}").split(",")} - {""}
            wrong += [f"{table}.{name}" for name in named - columns[table]]
    assert not wrong
