"""Flags: made, changed, switched, deleted and restored."""

from __future__ import annotations

from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from switchboard.kernel.problems import Conflict, Invalid
from tenants.actor import doing
from tenants.flags import current
from tenants.flags.models import Flag, valid_key
from tenants.flags.rules import as_json, parse_rules

LONGEST_KEY: Final = 100
LONGEST_DESCRIPTION: Final = 500
# What a change may touch. The key stays: programs ask by it, and percentages are drawn from it.
_CHANGEABLE: Final = frozenset({"description", "enabled", "rules", "default"})


def create_flag(
    *, key: str, description: str = "", enabled: bool = True, rules: Any = (), default: bool = False, message: str = ""
) -> Flag:
    """A new flag in the scope in force: a tenant's own, or in the public schema one for all tenants.

    Args:
        key: stable; programs ask by it.
        enabled: the kill switch.
        rules: as JSON; the first that matches decides.
        default: what it is where none matches.
        message: why, for the trail.

    Raises:
        Problem: 422 `flag_invalid`.
        Conflict: `flag_exists`, where the key is taken, be it by a deleted flag.
    """
    _check_key(key)
    _check_description(description)
    checked = as_json(parse_rules(list(rules) if isinstance(rules, tuple) else rules))
    try:
        with transaction.atomic(), doing("flag.created", message):
            flag = Flag.objects.create(
                key=key, description=description, enabled=enabled, rules=checked, default=default
            )
            transaction.on_commit(current.forget)
            return flag
    except IntegrityError:
        deleted = Flag.objects.filter(key=key).exclude(deleted_at=None).exists()
        detail = f"There is a deleted flag {key}. Restore it." if deleted else f"There is a flag {key} already."
        raise Conflict("flag_exists", detail) from None


def update_flag(*, flag: Flag, seen: int | None = None, message: str = "", **changes: Any) -> Flag:
    """Change a flag; what isn't named stays.

    Args:
        seen: the revision that the change was made of; None overwrites whatever is there.
        message: why, for the trail.
        changes: `description`, `enabled`, `rules`, `default`.

    Raises:
        Problem: 422 `flag_invalid`.
        Conflict: `flag_changed`, where somebody else changed it since; `flag_deleted`.
    """
    unknown = changes.keys() - _CHANGEABLE
    if unknown:
        raise TypeError(f"a flag's {', '.join(sorted(unknown))} can't be changed")
    if "description" in changes:
        _check_description(changes["description"])
    if "rules" in changes:
        changes["rules"] = as_json(parse_rules(changes["rules"]))
    return _change(flag, f"flag.{_deed(changes)}", message, seen=seen, **changes)


def switch_flag(*, flag: Flag, enabled: bool, message: str = "") -> Flag:
    """Turn the kill switch: off is off for everybody within `current.MEMORY_SECONDS`. It never waits for an editor.

    Raises:
        Conflict: `flag_deleted`.
    """
    return _change(flag, "flag.switched_on" if enabled else "flag.killed", message, enabled=enabled)


def delete_flag(*, flag: Flag, message: str = "") -> None:
    """Put a flag away: it is unknown to whoever asks. `restore_flag` brings it back as it was."""
    with transaction.atomic():
        row = Flag.objects.select_for_update().get(pk=flag.pk)
        if row.deleted_at is None:
            _save(row, "flag.deleted", message, deleted_at=timezone.now())


def restore_flag(*, flag: Flag, message: str = "") -> Flag:
    """Bring a deleted flag back; one that is there stays as it is."""
    with transaction.atomic():
        row = Flag.objects.select_for_update().get(pk=flag.pk)
        return row if row.deleted_at is None else _save(row, "flag.restored", message, deleted_at=None)


def _change(flag: Flag, action: str, message: str, *, seen: int | None = None, **values: Any) -> Flag:
    with transaction.atomic():
        row = Flag.objects.select_for_update().get(pk=flag.pk)
        if row.deleted_at is not None:
            raise Conflict("flag_deleted", f"The flag {row.key} is deleted. Restore it first.")
        if seen is not None and seen != row.revision:
            raise Conflict("flag_changed", f"Somebody else changed {row.key} meanwhile. Nothing of yours was saved.")
        return _save(row, action, message, **values)


def _save(row: Flag, action: str, message: str, **values: Any) -> Flag:
    if all(getattr(row, name) == value for name, value in values.items()):
        return row
    for name, value in values.items():
        setattr(row, name, value)
    row.revision += 1
    with doing(action, message):
        row.save(update_fields=[*values, "revision", "updated_at"])
    transaction.on_commit(current.forget)
    return row


def _check_key(key: str) -> None:
    try:
        valid_key(key)
        if len(key) > LONGEST_KEY:
            raise ValidationError(f"{LONGEST_KEY} characters at most.")
    except ValidationError as error:
        raise Invalid("flag_invalid", error.messages[0], field="key") from None


def _check_description(description: str) -> None:
    if "\x00" in description or len(description) > LONGEST_DESCRIPTION:
        detail = f"{LONGEST_DESCRIPTION} characters at most, and no NUL among them."
        raise Invalid("flag_invalid", detail, field="description")


def _deed(changes: dict[str, Any]) -> str:
    """A change of the switch alone is called what the switch's own button calls it."""
    if changes.keys() == {"enabled"}:
        return "switched_on" if changes["enabled"] else "killed"
    return "changed"
