"""Whether a flag is on, and why: pure functions over values, with neither clock nor database."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from tenants.flags.rules import Condition, Operator, Rule, number_of

BUCKETS: Final = 10_000
NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class Reason(StrEnum):
    """Why a flag is what it is."""

    KILL_SWITCH = "kill_switch"
    RULE = "rule"
    PERCENTAGE = "percentage"
    DEFAULT = "default"
    UNKNOWN_FLAG = "unknown_flag"
    UNREADABLE = "unreadable"
    PLATFORM_KILL_SWITCH = "platform_kill_switch"
    PLATFORM_RULE = "platform_rule"
    PLATFORM_PERCENTAGE = "platform_percentage"
    PLATFORM_DEFAULT = "platform_default"
    PLATFORM_UNREADABLE = "platform_unreadable"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The answer: on or off, why, and by which rule (counted from 0) where one decided."""

    enabled: bool
    reason: Reason
    rule_index: int | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What a flag may look at, as far as the caller knows it.

    Args:
        contact: id of the person who talks to the agent.
        contact_attributes: what is known of them, for `contact.<attribute>`.
        agent: the agent's slug.
        channel: where the conversation happens: widget, api, inbox, room, call, audio.
        unit: what a percentage sticks to where there is no contact, such as a conversation's id.
    """

    contact: str = ""
    contact_attributes: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    agent: str = ""
    channel: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class TenantFacts:
    """What a flag may look at of the tenant itself: its service tier and metadata."""

    tier: str = ""
    metadata: Mapping[str, Any] = field(default_factory=lambda: NOTHING)


NO_CONTEXT: Final = Context()
UNKNOWN: Final = Evaluation(False, Reason.UNKNOWN_FLAG)

_Reader = Callable[[Context, TenantFacts], Any]
_Test = Callable[[Context, TenantFacts], bool]


@dataclass(frozen=True, slots=True)
class _CompiledRule:
    tests: tuple[_Test, ...]
    below: int | None  # of 10,000 buckets
    begin: float
    end: float
    answer: Evaluation
    platform_answer: Evaluation


class CompiledFlag:
    """A flag made ready to be asked often.

    Args:
        key: seeds its percentages, so that two flags choose independently.
        enabled: the kill switch.
        rules: checked rules, in order; None where they can't be read: such a flag is off.
        default: what it is where no rule matches.
    """

    __slots__ = ("_default", "_platform_default", "_rules", "_seed", "enabled", "readable")

    def __init__(self, *, key: str, enabled: bool, rules: Sequence[Rule] | None, default: bool) -> None:
        self.enabled = enabled
        self.readable = rules is not None
        self._seed = f"{key}\x00".encode()
        self._rules = tuple(_compile(index, rule) for index, rule in enumerate(rules or ()))
        self._default = Evaluation(default, Reason.DEFAULT)
        self._platform_default = Evaluation(default, Reason.PLATFORM_DEFAULT)

    def evaluate(self, context: Context, facts: TenantFacts, now: float, *, platform: bool = False) -> Evaluation:
        """The answer.

        Args:
            now: seconds since 1970, UTC.
            platform: whether it is the operators', which the reason says.
        """
        if not self.enabled:
            return _PLATFORM_KILLED if platform else _KILLED
        if not self.readable:
            return _PLATFORM_UNREADABLE if platform else _UNREADABLE
        bucket = -1
        for rule in self._rules:
            if not rule.begin <= now < rule.end:
                continue
            if rule.below is not None:
                if bucket < 0:
                    unit = context.contact or context.unit
                    # Whom nothing tells from others is in no share but the whole.
                    bucket = bucket_of(self._seed, unit) if unit else BUCKETS - 1
                if bucket >= rule.below:
                    continue
            for test in rule.tests:
                if not test(context, facts):
                    break
            else:
                return rule.platform_answer if platform else rule.answer
        return self._platform_default if platform else self._default


FlagSet = Mapping[str, CompiledFlag]
NO_FLAGS: Final[FlagSet] = MappingProxyType({})

_KILLED: Final = Evaluation(False, Reason.KILL_SWITCH)
_PLATFORM_KILLED: Final = Evaluation(False, Reason.PLATFORM_KILL_SWITCH)
_UNREADABLE: Final = Evaluation(False, Reason.UNREADABLE)
_PLATFORM_UNREADABLE: Final = Evaluation(False, Reason.PLATFORM_UNREADABLE)


def evaluate(
    key: str, context: Context, *, own: FlagSet, platform: FlagSet, facts: TenantFacts, now: float
) -> Evaluation:
    """Whether a flag is on for a tenant.

    The tenant's own flag is asked first and the operators' where it has none, but what the operators have switched off
    is off for everybody.

    Args:
        own: the tenant's flags.
        platform: the operators'.
        facts: of the tenant.
        now: seconds since 1970, UTC.
    """
    shared = platform.get(key)
    if shared is not None and not shared.enabled:
        return _PLATFORM_KILLED
    flag = own.get(key)
    if flag is not None:
        return flag.evaluate(context, facts, now)
    if shared is not None:
        return shared.evaluate(context, facts, now, platform=True)
    return UNKNOWN


def bucket_of(seed: bytes, unit: str) -> int:
    """0 to 9,999: always the same for a flag and a unit, evenly spread, and independent between flags."""
    digest = hashlib.sha256(seed + unit.encode(errors="replace")).digest()
    return int.from_bytes(digest[:8]) % BUCKETS


# --- conditions -------------------------------------------------------------------------------------------------------


def _compile(index: int, rule: Rule) -> _CompiledRule:
    on, shared_out = rule.then == "on", rule.percentage is not None
    return _CompiledRule(
        tests=tuple(_test_of(condition) for condition in rule.conditions),
        below=round(rule.percentage * 100) if rule.percentage is not None else None,
        begin=rule.from_.timestamp() if rule.from_ else float("-inf"),
        end=rule.until.timestamp() if rule.until else float("inf"),
        answer=Evaluation(on, Reason.PERCENTAGE if shared_out else Reason.RULE, index),
        platform_answer=Evaluation(on, Reason.PLATFORM_PERCENTAGE if shared_out else Reason.PLATFORM_RULE, index),
    )


def _test_of(condition: Condition) -> _Test:
    read, value = _reader_of(condition.attribute), condition.value
    match condition.operator:
        case Operator.IS:
            wanted = _plain(value)
            return lambda context, facts: _plain(read(context, facts)) == wanted
        case Operator.IS_NOT:
            wanted = _plain(value)
            return lambda context, facts: _plain(read(context, facts)) != wanted
        case Operator.IN:
            among = frozenset(map(_plain, value))
            return lambda context, facts: _plain(read(context, facts)) in among
        case Operator.NOT_IN:
            among = frozenset(map(_plain, value))
            return lambda context, facts: _plain(read(context, facts)) not in among
        case Operator.CONTAINS:
            part = _plain(value) or ""
            return lambda context, facts: _contains(read(context, facts), part)
        case Operator.STARTS_WITH:
            beginning = _plain(value) or ""
            return lambda context, facts: (_plain(read(context, facts)) or "").startswith(beginning)
        case Operator.AT_LEAST:
            least = float(value)
            return lambda context, facts: (number := number_of(read(context, facts))) is not None and number >= least
        case Operator.AT_MOST:
            most = float(value)
            return lambda context, facts: (number := number_of(read(context, facts))) is not None and number <= most
        case Operator.EXISTS:
            there = bool(value)
            return lambda context, facts: (read(context, facts) not in (None, "")) is there


def _reader_of(attribute: str) -> _Reader:
    of, _, name = attribute.partition(".")
    match of, name:
        case "tier", _:
            return lambda context, facts: facts.tier
        case "agent", _:
            return lambda context, facts: context.agent
        case "channel", _:
            return lambda context, facts: context.channel
        case "contact", "":
            return lambda context, facts: context.contact
        case "contact", _:
            return lambda context, facts: context.contact_attributes.get(name)
        case _:
            return lambda context, facts: facts.metadata.get(name)


def _plain(value: Any) -> str | None:
    """A value as it is compared; None for what is absent, or no single value."""
    if isinstance(value, str):
        return value.strip().casefold() or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, int | float) else None


def _contains(value: Any, part: str) -> bool:
    """A text with this part, or a list with this entry."""
    if isinstance(value, list | tuple):
        return any(_plain(entry) == part for entry in value)
    return part in (_plain(value) or "")
