"""API keys: only a hash is kept, only the whole key is recognised."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from switchboard.kernel.problems import Conflict, Invalid, Problem
from tenants.domain.api_keys import create_api_key, recognise, revoke_api_key, rotate_api_key
from tenants.models import ApiKey
from tenants.permissions import OPERATORS_ONLY, PLATFORM_SCOPES, Permission


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


# --- scopes -----------------------------------------------------------------------------------------------------------


class Holder:
    """Somebody who may some things."""

    def __init__(self, *permissions):
        self.permissions = permissions

    def may(self, permission, on):
        return permission in self.permissions


def test_a_key_has_the_scopes_it_was_given_and_all_where_nothing_is_said(harbour):
    row, _ = create_api_key(tenant=harbour, name="x", scopes=["agents:read", "keys:read"])
    assert row.permissions == {Permission.AGENTS_READ, Permission.KEYS_READ}
    assert create_api_key(tenant=harbour, name="x")[0].permissions == frozenset(Permission) - OPERATORS_ONLY
    assert create_api_key(tenant=None, name="x")[0].permissions == PLATFORM_SCOPES


def test_nobody_gives_a_key_what_they_lack(harbour):
    builder = Holder(Permission.AGENTS_READ, Permission.KEYS_WRITE, Permission.TENANTS_WRITE)
    with pytest.raises(Problem) as refused:
        create_api_key(tenant=harbour, name="x", scopes=["agents:read", "agents:write"], by=builder)
    assert (refused.value.status, refused.value.code) == (403, "scope_not_held")
    assert create_api_key(tenant=harbour, name="x", by=builder)[0].permissions == {
        Permission.AGENTS_READ,
        Permission.KEYS_WRITE,
    }


@pytest.mark.parametrize("scopes", [["tenants:write"], ["agents:*"], [], ["AGENTS:READ"], [""]])
def test_a_scope_that_isnt_one_is_refused(harbour, scopes):
    with pytest.raises(Invalid):
        create_api_key(tenant=harbour, name="x", scopes=scopes)


def test_the_database_too_keeps_tenants_and_the_platform_apart(harbour):
    for tenant, scope in ((harbour, "tenants:read"), (None, "agents:read")):
        with pytest.raises(IntegrityError), transaction.atomic():
            ApiKey.objects.create(tenant=tenant, name="x", prefix=str(tenant)[:4], digest="x", scopes=[scope])


# --- rotation ---------------------------------------------------------------------------------------------------------


def test_a_rotated_key_and_its_successor_work_side_by_side_for_a_while(harbour):
    old, text = create_api_key(tenant=harbour, name="Website", scopes=["agents:read"])
    new, newer = rotate_api_key(key=old, hours=2)
    assert recognise(text) == old
    assert recognise(newer) == new
    assert (new.name, new.scopes) == ("Website", ["agents:read"])
    old.refresh_from_db()
    assert old.replaced_by == new
    left = old.expires_at - timezone.now()
    assert dt.timedelta(hours=1, minutes=59) < left <= dt.timedelta(hours=2)


def test_a_rotation_without_overlap_ends_the_old_key_at_once(made):
    rotate_api_key(key=made[0], hours=0)
    assert recognise(made[1]) is None


def test_a_rotation_never_lengthens_a_key(harbour):
    soon = timezone.now() + dt.timedelta(hours=1)
    old, _ = create_api_key(tenant=harbour, name="x", expires_at=soon)
    new, _ = rotate_api_key(key=old, hours=168)
    old.refresh_from_db()
    assert old.expires_at == soon
    assert dt.timedelta(minutes=59) < new.expires_at - timezone.now() < dt.timedelta(minutes=61)


def test_a_key_is_rotated_once(made):
    new, _ = rotate_api_key(key=made[0])
    with pytest.raises(Conflict) as refused:
        rotate_api_key(key=made[0])
    assert refused.value.code == "api_key_rotated"
    revoke_api_key(key=new)
    with pytest.raises(Conflict) as refused:
        rotate_api_key(key=new)
    assert refused.value.code == "api_key_ended"


def test_nobody_gets_by_rotation_what_they_lack(made):
    with pytest.raises(Problem) as refused:
        rotate_api_key(key=made[0], by=Holder(Permission.KEYS_WRITE))
    assert refused.value.code == "scope_not_held"
    assert recognise(made[1])
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize("hours", [-1, 169])
def test_an_overlap_has_its_bounds(made, hours):
    with pytest.raises(Invalid):
        rotate_api_key(key=made[0], hours=hours)
