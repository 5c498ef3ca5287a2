"""A new tenant: whole, ready, exactly as migrations would have made it, or not there at all."""

import datetime as dt
import re
import time

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from knowledge.models import Collection, Document
from switchboard.kernel.problems import Conflict, Invalid
from switchboard.kernel.redis import redis_client
from tenants.context import tenant_key, use_public, use_tenant
from tenants.domain import provision, removal
from tenants.domain.migrate import migrate_platform
from tenants.domain.provision import create_tenant
from tenants.domain.removal import remove_tenant
from tenants.domain.status import suspend_tenant
from tenants.domain.template import TEMPLATE_SCHEMA, current_digest
from tenants.models import Domain, Tenant
from tests.factories import AgentFactory, ChunkFactory, CollectionFactory, DocumentFactory, MessageFactory

pytestmark = pytest.mark.usefixtures("database")

CATALOGUE = {
    "tables": "SELECT relname, relkind::text FROM pg_class WHERE relnamespace = '{0}'::regnamespace ORDER BY 1",
    "columns": """
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity::text,
               a.attgenerated::text, pg_get_expr(d.adbin, d.adrelid)
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE c.relnamespace = '{0}'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, 2""",
    "indexes": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = '{0}' ORDER BY 1",
    "constraints": """
        SELECT conname, conrelid::regclass::text, pg_get_constraintdef(oid), convalidated FROM pg_constraint
        WHERE connamespace = '{0}'::regnamespace ORDER BY 1, 2""",
    "triggers": """
        SELECT tgname, pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE c.relnamespace = '{0}'::regnamespace AND NOT tgisinternal ORDER BY c.relname, 1""",
    "sequences": """
        SELECT sequencename, data_type::text, start_value, increment_by, last_value FROM pg_sequences
        WHERE schemaname = '{0}' ORDER BY 1""",
}


def described(schema, part):
    with use_public(), connection.cursor() as cursor:
        cursor.execute(CATALOGUE[part].format(schema))
        return [[_plain(str(value).replace(schema, "SCHEMA")) for value in row] for row in cursor.fetchall()]


def _plain(definition):
    """Without casts of texts to text, and brackets: PostgreSQL moves some of them when it reads what it wrote."""
    return re.sub(r"::(text|character varying)\b(\[\])?|[()]", "", definition)


@pytest.mark.parametrize("part", sorted(CATALOGUE))
def test_a_copy_is_what_the_migrations_make(part):
    tenant = create_tenant(name="New", slug="new_one", domains=["new.localhost"])
    migrated, copied = described(TEMPLATE_SCHEMA, part), described(tenant.schema_name, part)
    assert copied == migrated
    assert copied


def test_a_new_tenant_is_ready_and_works(client_for):
    started = time.perf_counter()
    tenant = create_tenant(name="New", slug="new_one", domains=["new.localhost", "www.new.localhost"])
    assert time.perf_counter() - started < 10  # 0.1 s on a quiet machine
    assert (tenant.status, tenant.migrated_to) == (Tenant.Status.READY, current_digest())
    primary = Domain.objects.get(tenant=tenant, is_primary=True)
    assert primary.domain == "new.localhost"
    with use_tenant(tenant):
        assert Permission.objects.filter(codename="view_document").exists()
        for make in (CollectionFactory, ChunkFactory, AgentFactory, MessageFactory):
            make()


def test_two_tenants_share_no_row():
    one, two = (create_tenant(name=slug, slug=slug, domains=[f"{slug}.localhost"]) for slug in ("one", "two"))
    with use_tenant(one):
        CollectionFactory()
    with use_tenant(two):
        assert not Collection.objects.exists()


@pytest.mark.parametrize("slug", ["Upper", "1st", "a", "a-b", "x" * 41, 'x"; drop', "a b", "", "é"])
def test_a_slug_that_cannot_be_one_is_refused(slug):
    with pytest.raises(Invalid):
        create_tenant(name="New", slug=slug, domains=["new.localhost"])
    assert not Domain.objects.filter(domain="new.localhost").exists()


@pytest.mark.parametrize(("slug", "domain"), [("harbour", "new.localhost"), ("new_one", "harbour.localhost")])
def test_what_is_taken_is_refused_and_leaves_nothing(slug, domain):
    before = Tenant.objects.count()
    with pytest.raises(Conflict) as caught:
        create_tenant(name="New", slug=slug, domains=[domain])
    assert caught.value.code == "tenant_exists"
    assert Tenant.objects.count() == before
    assert not schema_exists("t_new_one")


def test_hostnames_are_kept_in_lower_case():
    tenant = create_tenant(name="New", slug="new_one", domains=["New.LocalHost"])
    assert tenant.domains.get().domain == "new.localhost"


def test_a_tenant_whose_making_was_cut_short_is_finished_later(harbour):
    Tenant.objects.filter(pk=harbour.pk).update(status=Tenant.Status.PREPARING)
    lines = []
    migrate_platform(report=lines.append)
    harbour.refresh_from_db()
    assert harbour.status == Tenant.Status.READY
    assert any("harbour" in line for line in lines)


def test_a_failing_default_leaves_the_doors_shut(monkeypatch):
    def fail():
        raise ValueError("on purpose")

    monkeypatch.setitem(provision._reconcilers, "tests", fail)
    with pytest.raises(ValueError, match="on purpose"):
        create_tenant(name="New", slug="new_one", domains=["new.localhost"])
    assert Tenant.objects.get(slug="new_one").status == Tenant.Status.PREPARING


def test_defaults_are_made_in_the_tenants_own_scope(monkeypatch):
    monkeypatch.setitem(provision._reconcilers, "tests", CollectionFactory)
    tenant = create_tenant(name="New", slug="new_one", domains=["new.localhost"])
    with use_tenant(tenant):
        assert Collection.objects.count() == 1


def test_migrating_again_does_nothing():
    lines = []
    migrate_platform(report=lines.append)
    assert lines == ["2 tenants are up to date"]


def test_a_deleted_tenant_is_gone(api_key_for):
    tenant = create_tenant(name="New", slug="new_one", domains=["new.localhost"])
    api_key_for(tenant)
    schema = tenant.schema_name
    remove_tenant(tenant=tenant)
    assert not schema_exists(schema)
    assert not Domain.objects.filter(domain="new.localhost").exists()


def schema_exists(schema):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [schema])
        return cursor.fetchone() is not None


def test_a_purge_leaves_nothing_of_a_tenant(live_tenants, in_harbour):
    harbour_row = CollectionFactory()
    DocumentFactory(collection=harbour_row)
    tenant = create_tenant(name="New", slug="new_one", domains=["new.localhost"])
    neighbour = create_tenant(name="Near", slug="new_one_more", domains=["near.localhost"])
    for one in (tenant, neighbour):
        with use_tenant(one):
            DocumentFactory()
            redis_client().set(tenant_key("x", 1), "kept")
            cache.set("remembered", 1)
    removal.delete_tenant(tenant=tenant)
    removal.purge_tenant(tenant=tenant)
    assert not schema_exists(tenant.schema_name)
    assert not (settings.DATA_DIR / "files" / tenant.schema_name).exists()
    assert not redis_client().keys(f"*:{tenant.schema_name}:*")
    with use_public():
        assert not Tenant.objects.filter(pk=tenant.pk).exists()
    with use_tenant(neighbour):
        assert Document.objects.get().file.read()
        assert redis_client().get(tenant_key("x", 1)) == "kept"
        assert cache.get("remembered") == 1


def test_a_purge_that_was_cut_off_goes_on(live_tenants):
    tenant = create_tenant(name="New", slug="new_one", domains=["new.localhost"])
    removal.delete_tenant(tenant=tenant)
    removal._remove_files(tenant.schema_name)
    with connection.cursor() as cursor:
        cursor.execute(f'DROP SCHEMA "{tenant.schema_name}" CASCADE')
    removal.purge_tenant(tenant=tenant)
    assert not Tenant.objects.filter(pk=tenant.pk).exists()


def test_only_a_deleted_tenant_is_purged_and_only_in_time_had_back(harbour):
    with pytest.raises(Conflict):
        removal.purge_tenant(tenant=harbour)
    removal.delete_tenant(tenant=harbour)
    assert removal.due_for_purge() == []
    long_ago = timezone.now() - dt.timedelta(days=removal.RESTORE_DAYS)
    Tenant.objects.filter(pk=harbour.pk).update(deleted_at=long_ago)
    assert removal.due_for_purge() == [harbour]
    with pytest.raises(Conflict) as refused:
        removal.restore_tenant(tenant=harbour)
    assert refused.value.code == "tenant_gone"


def test_a_suspended_tenant_that_is_restored_is_suspended(harbour):
    suspend_tenant(tenant=harbour)
    removal.delete_tenant(tenant=harbour)
    removal.restore_tenant(tenant=harbour)
    harbour.refresh_from_db()
    assert (harbour.status, harbour.deleted_at) == (Tenant.Status.SUSPENDED, None)


def test_the_command_removes_one_deleted_tenant_at_once(live_tenants, capsys):
    tenant = create_tenant(name="New", slug="new_one", domains=["new.localhost"])
    with pytest.raises(CommandError, match="deleted tenant"):
        call_command("purge_tenants", slug="new_one")
    removal.delete_tenant(tenant=tenant)
    call_command("purge_tenants")
    assert "No deleted tenant" in capsys.readouterr().out
    call_command("purge_tenants", slug="new_one")
    assert not schema_exists(tenant.schema_name)
