"""Stored secrets: unreadable in the database, readable here, and under older keys too."""

import pytest
from cryptography.fernet import Fernet
from django.db import connection

from agents.models import ModelEndpoint
from switchboard.kernel import encryption
from tests.factories import EndpointFactory


@pytest.fixture
def keys(settings):
    """Sets the keys in force, newest first."""

    def use(*given):
        settings.ENCRYPTION_KEYS = list(given)
        encryption._cipher.cache_clear()

    yield use
    encryption._cipher.cache_clear()


def stored():
    with connection.cursor() as cursor:
        cursor.execute("SELECT api_key FROM agents_modelendpoint")
        return cursor.fetchone()[0]


def test_the_database_holds_no_plain_text(in_harbour):
    endpoint = EndpointFactory(api_key="sk-münchen")
    assert "sk-" not in stored()
    assert ModelEndpoint.objects.get(pk=endpoint.pk).api_key == "sk-münchen"


def test_an_update_encrypts_too(in_harbour):
    EndpointFactory()
    ModelEndpoint.objects.update(api_key="sk-other")
    assert "sk-" not in stored()
    assert ModelEndpoint.objects.get().api_key == "sk-other"


def test_no_secret_stays_empty(in_harbour):
    EndpointFactory(api_key="")
    assert stored() == ""
    assert ModelEndpoint.objects.get().api_key == ""


def test_keys_can_be_renewed(keys):
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    keys(old)
    token = encryption.encrypt("secret")
    keys(new, old)
    assert encryption.decrypt(token) == "secret"
    assert encryption.decrypt(encryption.encrypt("again")) == "again"
    keys(new)
    with pytest.raises(encryption.SecretUnreadable, match="ENCRYPTION_KEYS"):
        encryption.decrypt(token)


def test_the_same_secret_looks_different_each_time():
    assert encryption.encrypt("secret") != encryption.encrypt("secret")
