"""API keys: only a hash is kept, only the whole key is recognised."""

import datetime as dt

import pytest
from django.utils import timezone

from tenants.domain.api_keys import create_api_key, recognise, revoke_api_key
from tenants.models import ApiKey


@pytest.fixture
def made(harbour):
    return create_api_key(tenant=harbour, name="Website")


def test_a_key_is_recognised_and_not_kept(made):
    row, key = made
    assert recognise(key) == row
    assert key not in str(ApiKey.objects.values().get(pk=row.pk))


@pytest.mark.parametrize(
    "change", [lambda k: k[:-1], lambda k: k + "x", lambda k: k.upper(), lambda k: k[:-1] + "!", lambda k: " " + k]
)
def test_a_key_that_is_nearly_right_is_wrong(made, change):
    assert recognise(change(made[1])) is None


def test_a_secret_fits_its_own_prefix_alone(made, agency):
    other = create_api_key(tenant=agency, name="Other")[1]
    mixed = made[1][:16] + other[16:]
    assert recognise(mixed) is None


def test_a_revoked_key_is_refused(made):
    revoke_api_key(key=made[0])
    assert recognise(made[1]) is None
    first = ApiKey.objects.get(pk=made[0].pk).revoked_at
    revoke_api_key(key=made[0])
    assert ApiKey.objects.get(pk=made[0].pk).revoked_at == first


def test_a_key_ends_when_it_said(harbour):
    key = create_api_key(tenant=harbour, name="x", expires_at=timezone.now() + dt.timedelta(hours=1))[1]
    assert recognise(key)
    ApiKey.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert recognise(key) is None


def test_use_is_noted_once_a_minute_at_most(made, django_assert_num_queries):
    with django_assert_num_queries(2):
        recognise(made[1])
    with django_assert_num_queries(1):
        recognise(made[1])
    assert ApiKey.objects.get(pk=made[0].pk).last_used_at
