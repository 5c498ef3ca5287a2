"""After a rotation the newest key alone opens everything, whatever model holds it, in every schema."""

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection

from agents.models import ModelEndpoint
from switchboard.kernel import encryption
from tenants.audit.models import AuditEvent
from tenants.context import use_public, use_tenant
from tenants.models import ApiKey
from tenants.vault.domain import rotation
from tenants.vault.domain.rotation import encrypted_columns, rotate_encryption
from tenants.vault.models import Secret
from tests.factories import EndpointFactory, SecretFactory


@pytest.fixture
def keys(settings):
    """Sets the keys in force, newest first."""

    def use(*given):
        settings.ENCRYPTION_KEYS = list(given)
        encryption._cipher.cache_clear()

    yield use
    encryption._cipher.cache_clear()


@pytest.fixture
def old_and_new(keys):
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    keys(old)
    return old, new


def fill(*tenants):
    for tenant in tenants:
        with use_tenant(tenant):
            SecretFactory(name="key", value=f"of {tenant.slug}")
            EndpointFactory(api_key=f"endpoint of {tenant.slug}")
            EndpointFactory(api_key="")
    with use_public():
        ApiKey.objects.create(name="x", prefix="x", scopes=["tenants:read"], secret="signing secret")


def test_every_secret_is_brought_under_the_newest_key(keys, old_and_new, harbour, agency):
    old, new = old_and_new
    fill(harbour, agency)
    keys(new, old)
    lines = []
    tally = rotate_encryption(report=lines.append)
    assert (tally.renewed, tally.left, tally.unreadable) == (5, 0, 0)
    assert any(harbour.schema_name in line and "2 re-encrypted" in line for line in lines)
    keys(new)
    for tenant in (harbour, agency):
        with use_tenant(tenant):
            assert Secret.objects.get().value == f"of {tenant.slug}"
            assert f"endpoint of {tenant.slug}" in {row.api_key for row in ModelEndpoint.objects.all()}
    with use_public():
        assert ApiKey.objects.get().secret == "signing secret"


def test_run_again_it_does_nothing(keys, old_and_new, harbour):
    old, new = old_and_new
    fill(harbour)
    keys(new, old)
    rotate_encryption(report=lambda line: None)
    with use_tenant(harbour):
        before = stored()
    assert rotate_encryption(report=lambda line: None).renewed == 0
    with use_tenant(harbour):
        assert stored() == before


def test_interrupted_it_goes_on_where_it_stopped(keys, old_and_new, harbour, monkeypatch):
    old, new = old_and_new
    monkeypatch.setattr(rotation, "_ROWS_AT_ONCE", 2)
    with use_tenant(harbour):
        for _ in range(5):
            SecretFactory()
    keys(new, old)
    write, written = rotation._write, []

    def dies_at_the_third(*arguments):
        if len(written) == 2:
            raise ConnectionError
        written.append(arguments)
        return write(*arguments)

    monkeypatch.setattr(rotation, "_write", dies_at_the_third)
    with pytest.raises(ConnectionError):
        rotate_encryption(report=lambda line: None)
    monkeypatch.setattr(rotation, "_write", write)
    tally = rotate_encryption(report=lambda line: None)
    assert (tally.secrets, tally.renewed, tally.left) == (5, 3, 0)


def test_what_somebody_writes_meanwhile_is_kept(keys, old_and_new, harbour, monkeypatch):
    old, new = old_and_new
    fill(harbour)
    keys(new, old)
    renew = rotation.renew

    def somebody_is_quicker(token):
        with use_tenant(harbour):
            Secret.objects.update(value="newer")
        return renew(token)

    monkeypatch.setattr(rotation, "renew", somebody_is_quicker)
    rotate_encryption(report=lambda line: None)
    with use_tenant(harbour):
        assert Secret.objects.get().value == "newer"


def test_what_no_key_opens_is_told_and_kept(keys, old_and_new, harbour, capsys):
    fill(harbour)
    keys(old_and_new[1])
    with use_public(), pytest.raises(CommandError, match="still under an older key"):
        call_command("rotate_encryption")
    told = capsys.readouterr().out
    assert "vault.Secret" in told
    assert "of harbour" not in told
    keys(old_and_new[0])
    with use_tenant(harbour):
        assert Secret.objects.get().value == "of harbour"


def test_the_trail_says_what_it_was(keys, old_and_new, harbour):
    old, new = old_and_new
    fill(harbour)
    keys(new, old)
    rotate_encryption(report=lambda line: None)
    with use_tenant(harbour):
        event = AuditEvent.objects.filter(entity="secret").first()
        assert event.action == "encryption.rotated"
        assert event.new == {"value": "(changed)"}


def test_every_encrypted_field_is_found():
    found = {f"{model._meta.label}.{name}" for model, names in encrypted_columns().items() for name in names}
    assert {"agents.ModelEndpoint.api_key", "tenants.ApiKey.secret", "vault.Secret.value"} <= found


def stored():
    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM vault_secret")
        return cursor.fetchone()[0]
