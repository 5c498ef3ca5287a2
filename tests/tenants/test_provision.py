"""A new tenant: whole, ready, exactly as migrations would have made it, or not there at all."""

import time

import pytest
from django.contrib.auth.models import Permission
from django.db import connection

from knowledge.models import Collection
from switchboard.kernel.problems import Conflict, Invalid
from tenants.context import use_public, use_tenant
from tenants.domain import provision
from tenants.domain.migrate import migrate_platform
from tenants.domain.provision import create_tenant, delete_tenant
from tenants.domain.template import TEMPLATE_SCHEMA, current_digest
from tenants.models import Domain, Tenant
from tests.factories import AgentFactory, ChunkFactory, CollectionFactory, MessageFactory

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
        return [[str(value).replace(schema, "SCHEMA") for value in row] for row in cursor.fetchall()]


@pytest.mark.parametrize("part", sorted(CATALOGUE))
def test_a_copy_is_what_the_migrations_make(part):
    tenant = create_tenant(name="New", slug="new_one", domains=["new.localhost"])
    migrated, copied = described(TEMPLATE_SCHEMA, part), described(tenant.schema_name, part)
    assert copied == migrated
    assert copied


def test_a_new_tenant_is_ready_and_works(client_for):
    started = time.perf_counter()
    tenant = create_tenant(name="New", slug="new_one", domains=["new.localhost", "www.new.localhost"])
    assert time.perf_counter() - started < 2  # 0.1 s on a quiet machine
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
    delete_tenant(tenant=tenant)
    assert not schema_exists(schema)
    assert not Domain.objects.filter(domain="new.localhost").exists()


def schema_exists(schema):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [schema])
        return cursor.fetchone() is not None
