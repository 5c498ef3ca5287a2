"""How much a tenant may use at a time: the installation's settings, unless the operators set others for it.

What they set stands in the tenant's metadata, beside what else they note, so that it travels in the scope and no query
is made for it. Over REST and in the admin the two are apart: a limit has a unit and bounds, and a note has neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

from django.conf import settings

from switchboard.kernel.problems import Invalid
from tenants.context import current_tenant


@dataclass(frozen=True, slots=True)
class Limit:
    """One of the limits. 0 is none at all.

    Args:
        name: over REST, and in the tenant's metadata.
        label: for people.
        counts: what a number of it counts.
        most: the highest that can be set, as in `switchboard.config`.
        setting: the installation's, for tenants that have no other.
    """

    name: str
    label: str
    counts: str
    most: int
    setting: str

    @property
    def default(self) -> int:
        value: int = getattr(settings, self.setting)
        return value

    def set_in(self, metadata: Mapping[str, Any]) -> int | None:
        """What the operators set, if they did. What is no whole number from 0 on counts as not set."""
        value = metadata.get(self.name)
        return value if _is_whole(value) and value >= 0 else None

    def in_force(self) -> int:
        """What holds for the tenant in force. Raises `TenantNotSet` outside one."""
        own = self.set_in(current_tenant().metadata)
        return self.default if own is None else own


MODEL_REQUESTS_PER_MINUTE: Final = Limit(
    "model_requests_per_minute",
    "Model calls a minute",
    "calls of language models per minute",
    1_000_000,
    "TENANT_REQUESTS_PER_MINUTE",
)
MODEL_TOKENS_PER_MINUTE: Final = Limit(
    "model_tokens_per_minute",
    "Model tokens a minute",
    "tokens, sent and received, per minute",
    1_000_000_000,
    "TENANT_TOKENS_PER_MINUTE",
)
MODEL_CALLS_AT_ONCE: Final = Limit(
    "model_calls_at_once",
    "Model calls at once",
    "calls of language models under way at the same time",
    100_000,
    "TENANT_CALLS_AT_ONCE",
)
VOICE_SESSIONS_AT_ONCE: Final = Limit(
    "voice_sessions_at_once",
    "Voice sessions at once",
    "conversations by voice at the same time, in rooms, on calls and over audio websockets together",
    100_000,
    "TENANT_VOICE_SESSIONS",
)
LIMITS: Final[Mapping[str, Limit]] = {
    limit.name: limit
    for limit in (MODEL_REQUESTS_PER_MINUTE, MODEL_TOKENS_PER_MINUTE, MODEL_CALLS_AT_ONCE, VOICE_SESSIONS_AT_ONCE)
}


def limits_in(metadata: Mapping[str, Any]) -> dict[str, int | None]:
    """Every limit as the operators set it; None where the installation's holds."""
    return {name: limit.set_in(metadata) for name, limit in LIMITS.items()}


def notes_in(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What the operators noted besides limits."""
    return {name: value for name, value in metadata.items() if name not in LIMITS}


def changed_metadata(
    metadata: Mapping[str, Any], *, notes: Mapping[str, Any] | None = None, limits: Any = None
) -> dict[str, Any]:
    """Metadata with other notes, other limits, or both.

    Args:
        notes: replace those that are there, as a whole; None leaves them.
        limits: by name. None takes a limit away, so that the installation's holds; those that aren't named stay.

    Raises:
        Invalid: `invalid_limits`, naming each one that can't be, or that stands among the notes.
    """
    wanted = notes_in(metadata) if notes is None else notes
    if among := sorted(wanted.keys() & LIMITS.keys()):
        raise _refused([("metadata", f"“{name}” is a limit. Set it among the limits.") for name in among])
    _check(limits)
    kept = {name: value for name, value in metadata.items() if name in LIMITS}
    set_now = {name: value for name, value in {**kept, **(limits or {})}.items() if value is not None}
    return {**wanted, **set_now}


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """How the limits in two states of a tenant's metadata differ, for the trail, which shows no metadata."""
    old, new = limits_in(before), limits_in(after)
    return ", ".join(f"{name}: {_told(old[name])} → {_told(new[name])}" for name in LIMITS if old[name] != new[name])


def _told(value: int | None) -> str:
    return "default" if value is None else str(value)


def _check(limits: Any) -> None:
    if limits is None:
        return
    if not isinstance(limits, Mapping):
        raise _refused([("limits", "This is an object of limits by their names.")])
    wrong = []
    for name, value in limits.items():
        limit = LIMITS.get(name)
        if limit is None:
            wrong.append((f"limits.{name[:60]}", f"There is no such limit. There are {', '.join(LIMITS)}."))
        elif value is not None and not (_is_whole(value) and 0 <= value <= limit.most):
            wrong.append((f"limits.{name}", f"Give a whole number from 0 to {limit.most}, or null for the default."))
    if wrong:
        raise _refused(wrong)


def _refused(wrong: list[tuple[str, str]]) -> Invalid:
    problem = Invalid("invalid_limits", wrong[0][1])
    problem.errors = [{"field": field, "message": message} for field, message in wrong]
    return problem


def _is_whole(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
