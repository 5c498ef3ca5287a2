"""Where each model's table stands, by intent: a new model is put on this list, or this fails."""

import pytest
from django.apps import apps
from django.db import connection

from tenants.context import use_public

PUBLIC, TENANT, BOTH = "the public schema", "every tenant's schema", "both"

HOMES = {
    "tenants.Tenant": PUBLIC,
    "tenants.Domain": PUBLIC,
    "tenants.SchemaTemplate": PUBLIC,
    "tenants.ApiKey": PUBLIC,  # found before the tenant is known
    "tenants.SigningKey": PUBLIC,  # signs for all tenants
    "tenants.WorkLease": PUBLIC,  # one look finds all tenants' unfinished work
    "contenttypes.ContentType": PUBLIC,  # Django caches its ids for the whole process
    "staff.User": BOTH,  # operators in the public schema, a tenant's staff in its own
    "staff.ObjectGrant": BOTH,  # beside the people it is given to
    "staff.SignInPolicy": BOTH,
    "staff.Invitation": BOTH,
    "staff.SsoConnection": BOTH,
    "account.EmailAddress": BOTH,  # allauth's, as for people
    "account.EmailConfirmation": BOTH,
    "mfa.Authenticator": BOTH,
    "socialaccount.SocialAccount": BOTH,
    "socialaccount.SocialApp": BOTH,  # holds nothing: SsoConnection takes its place
    "socialaccount.SocialToken": BOTH,  # holds nothing: no token is kept
    "staff.User_groups": BOTH,
    "staff.User_user_permissions": BOTH,
    "auth.Group": BOTH,  # as for people
    "auth.Group_permissions": BOTH,
    "auth.Permission": BOTH,
    "admin.LogEntry": BOTH,  # what each did stays where they are
    "sessions.Session": BOTH,  # a session of one host is none of another
    "flags.Flag": BOTH,  # the operators' for all tenants in the public schema, a tenant's own in its own
    "audit.AuditEvent": BOTH,  # the platform's trail, and each tenant's own
    "audit.ChainHead": BOTH,
    "vault.Secret": TENANT,
    "tokens.TokenIssuer": TENANT,
    "origins.AllowedOrigin": TENANT,
    "billing.UsageEvent": TENANT,
    "knowledge.Collection": TENANT,
    "knowledge.Document": TENANT,
    "knowledge.Chunk": TENANT,
    "agents.ModelEndpoint": TENANT,
    "agents.Action": TENANT,
    "agents.Agent": TENANT,
    "agents.AgentVersion": TENANT,
    "agents.Prompt": TENANT,
    "agents.PromptVersion": TENANT,
    "agents.Tool": TENANT,
    "agents.ToolVersion": TENANT,
    "agents.Personality": TENANT,
    "agents.PersonalityVersion": TENANT,
    "agents.RuntimeConfig": TENANT,
    "agents.RuntimeConfigVersion": TENANT,
    "agents.Release": TENANT,
    "agents.TestCase": TENANT,
    "agents.TestResult": TENANT,
    "agents.TestRun": TENANT,
    "agents.ToolCallRecord": TENANT,
    "agents.TurnTrace": TENANT,
    "agents.ToolCredential": TENANT,
    "agents.CachedAnswer": TENANT,
    "agents.ConversationSummary": TENANT,
    "agents.ContactConsent": TENANT,
    "agents.ContactFact": TENANT,
    "conversations.Conversation": TENANT,
    "conversations.Turn": TENANT,
    "conversations.Notice": TENANT,
    "conversations.Message": TENANT,
    "desk.Lead": TENANT,
    "desk.Reservation": TENANT,
    "desk.ReservationCalendar": TENANT,
    "directory.Room": PUBLIC,  # found before the tenant is known
    "directory.PhoneNumber": PUBLIC,
    "voice_worker.Meeting": TENANT,
    "voice_worker.Participant": TENANT,
    "voice_worker.VoiceSession": TENANT,
    "voice_worker.TimelineEntry": TENANT,
}


def models():
    return {model._meta.label: model for model in apps.get_models(include_auto_created=True) if not model._meta.proxy}


def test_every_model_has_a_home_and_every_home_a_model():
    assert set(models()) == set(HOMES)


@pytest.mark.parametrize("label", sorted(HOMES))
def test_the_table_stands_there_and_nowhere_else(harbour, label):
    with use_public(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT schemaname FROM pg_tables WHERE tablename = %s AND schemaname IN ('public', %s)",
            [models()[label]._meta.db_table, harbour.schema_name],
        )
        found = {schema for (schema,) in cursor.fetchall()}
    wanted = {PUBLIC: {"public"}, TENANT: {harbour.schema_name}, BOTH: {"public", harbour.schema_name}}
    assert found == wanted[HOMES[label]]


def test_models_are_migrated(harbour):
    from django.core.management import call_command

    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
