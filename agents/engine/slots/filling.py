"""Filling a tool's arguments from what somebody says, by rules alone: no model, no network."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from agents.engine.slots import people
from agents.engine.slots.consent import is_no, is_yes
from agents.engine.slots.dates import find_dates
from agents.engine.slots.fields import SlotField, fields_of
from agents.engine.slots.found import Found, lowered, without
from agents.engine.slots.times import Prefer, find_times
from agents.engine.slots.words import NUMBER, number_of
from agents.tools.arguments import fits

# A message is read up to here; nobody books a table in a novel.
LONGEST: Final = 4_000
_NUMERAL: Final = re.compile(rf"(?<![\w\x00.,:/-])(?P<value>\d+(?:[.,]\d+)?|{NUMBER})(?![\w\x00])")
_NOT: Final = re.compile(
    r"(?:\bnot|\bno|\bwithout|\bnicht|\bkeine?n?|\bohne|\bpas|\bsans|n't)(?:\s+(?:the|on|in|a|an|de|die|den|le|la))*\s*$"
)
_NEAR: Final = 24  # characters between a cue and what it stands for


@dataclass(frozen=True, slots=True)
class Filled:
    """What is known after a message.

    Args:
        values: by property; what was known before, and what the message says.
        missing: required properties without a value, in the schema's order.
        unclear: properties that the message speaks of in a way that can't be taken, and why: `past`, `no_such_date`,
            `no_such_time`, `several`, `refused` (the schema doesn't allow it). They have no value from this message.
        found: the properties that this message gave a value.
    """

    values: dict[str, Any]
    missing: tuple[str, ...]
    unclear: Mapping[str, str] = field(default_factory=dict)
    found: frozenset[str] = frozenset()


def fill(
    schema: Mapping[str, Any], text: str, *, known: Mapping[str, Any], asked: str | None, today: dt.date, tz: dt.tzinfo
) -> Filled:
    """Fill a schema's properties from a message.

    Args:
        schema: an object's JSON Schema; `fields` tells which hints it may carry.
        known: values from before. What the message says goes before them.
        asked: the property that was just asked for: a bare answer is its value.
        today: the day on which the message was written, where the contact is.
        tz: the time zone of values that are moments.
    """
    reading = _Reading(text[:LONGEST], fields_of(schema), asked, today, tz)
    reading.read()
    values, unclear = dict(known), dict(reading.unclear)
    given: set[str] = set()
    for one in reading.fields:
        if one.name not in reading.values:
            continue
        value = reading.values[one.name]
        if _is_allowed(schema, one, value):
            values[one.name] = value
            given.add(one.name)
            unclear.pop(one.name, None)
        else:
            unclear[one.name] = "refused"
    missing = tuple(one.name for one in reading.fields if one.is_required and values.get(one.name) in (None, ""))
    # A required property that nothing here can fill is missing all the same.
    others = tuple(
        str(name)
        for name in schema.get("required") or ()
        if name not in {one.name for one in reading.fields} and name not in values
    )
    return Filled(values, (*missing, *others, *_one_of(schema, values, missing)), unclear, frozenset(given))


def _one_of(schema: Mapping[str, Any], values: Mapping[str, Any], missing: tuple[str, ...]) -> tuple[str, ...]:
    """What is missing where a schema wants one of several, an e-mail address or a phone number: the first of them."""
    branches = schema.get("anyOf")
    wanted = [
        [str(name) for name in branch["required"]]
        for branch in (branches if isinstance(branches, list) else ())
        if isinstance(branch, Mapping) and isinstance(branch.get("required"), list)
    ]
    if not wanted or any(all(values.get(name) not in (None, "") for name in names) for names in wanted):
        return ()
    return tuple(name for name in wanted[0] if name not in missing and values.get(name) in (None, ""))


def _is_allowed(schema: Mapping[str, Any], one: SlotField, value: Any) -> bool:
    rules: dict[str, Any] = {**one.schema}
    if "$defs" in schema:
        rules["$defs"] = schema["$defs"]
    return fits(schema=rules, value=value)


class _Reading:
    """One message, whose words are used up by what they fill: "two" in "the two of May" is no party."""

    def __init__(self, text: str, fields: list[SlotField], asked: str | None, today: dt.date, tz: dt.tzinfo) -> None:
        self.fields = fields
        self.values: dict[str, Any] = {}
        self.unclear: dict[str, str] = {}
        self._text = text.replace("\u2019", "'")
        self._asked = next((one for one in fields if one.name == asked), None)
        self._today = today
        self._tz = tz
        self._taken: list[Found] = []

    def read(self) -> None:
        self._give(self._of("email"), people.find_emails(self._text, spoken=self._is_asked("email")))
        self._days()
        self._give(self._of("phone"), people.find_phones(self._left))
        self._times()
        self._choices()
        self._give(self._of("name"), people.find_names(self._left))
        self._numbers_with_cues()
        self._give(self._of("party"), people.find_parties(self._left))
        self._answer()

    @property
    def _left(self) -> str:
        return without(self._text, self._taken)

    def _of(self, *kinds: str) -> list[SlotField]:
        return [one for one in self.fields if one.kind in kinds]

    def _is_asked(self, *kinds: str) -> bool:
        return self._asked is not None and self._asked.kind in kinds

    def _days(self) -> None:
        days = self._of("date", "datetime")
        past = bool(days) and all(one.prefer == "past" for one in days)
        found = find_dates(self._text, today=self._today, past=past)
        # What looks like a day within a phone number is none.
        found = [one for one in found if not one.overlaps(self._taken)]
        dates = [one for one in days if one.kind == "date"]
        if dates:
            self._give(dates, found)
        else:
            self._moments(found)
            self._taken += found

    def _moments(self, found: list[Found]) -> None:
        """Properties that are a day and a time at once."""
        for one in self._of("datetime"):
            times = find_times(self._text, prefer=_prefer(one), taken=[*self._taken, *found])
            days = [day for day in found if day.value and not day.why]
            if days and times and times[0].value:
                moment = dt.datetime.fromisoformat(f"{days[0].value}T{times[0].value}").replace(tzinfo=self._tz)
                self.values[one.name] = moment.isoformat()
                self._taken.append(times[0])

    def _times(self) -> None:
        times = self._of("time")
        if times:
            asks = self._is_asked("time")
            prefer = _prefer(self._asked if asks else times[0])
            self._give(times, find_times(self._text, prefer=prefer, bare=asks, taken=self._taken))
        else:
            # They are no numbers of anything else.
            self._taken += find_times(self._text, taken=self._taken)

    def _choices(self) -> None:
        for one in self._of("choice", "choices", "yesno"):
            found = _options_in(self._left, one)
            chosen = list(dict.fromkeys(option.value for option in found if not option.why))
            if one.kind == "choices" and chosen:
                self.values[one.name] = chosen
            elif len(chosen) == 1:
                self.values[one.name] = chosen[0]
            elif chosen:
                self.unclear[one.name] = "several"
            self._taken += [option for option in found if chosen]

    def _numbers_with_cues(self) -> None:
        for one in self._of("number", "party"):
            cues = one.cues or ((one.title().lower(),) if one.kind == "number" else ())
            for match in _NUMERAL.finditer(lowered(self._left)):
                after = lowered(self._left)[match.end() :].lstrip(" -")
                before = lowered(self._left)[: match.start()].rstrip(" :")
                if any(re.match(rf"{re.escape(cue)}(?!\w)", after) for cue in cues) or any(
                    re.search(rf"(?<!\w){re.escape(cue)}(?:\s+(?:of|is|are|von|de))?$", before) for cue in cues
                ):
                    self._give([one], [Found(match.start(), match.end(), _number(match["value"], one))])
                    break

    def _answer(self) -> None:
        """What a message is that answers a question and says nothing more."""
        one = self._asked
        if one is None or one.name in self.values or one.name in self.unclear:
            return
        text = self._text.strip()
        match one.kind:
            case "yesno":
                if is_yes(text) or is_no(text):
                    self.values[one.name] = is_yes(text)
            case "number" | "party":
                numbers = list(_NUMERAL.finditer(lowered(self._left)))
                if len(numbers) == 1:
                    self.values[one.name] = _number(numbers[0]["value"], one)
                elif numbers:
                    self.unclear[one.name] = "several"
            case "name":
                name = people.bare_name(self._left.replace("\x00", " "))
                if name:
                    self.values[one.name] = name
            case "text":
                if text and not text.endswith("?"):
                    self.values[one.name] = text

    def _give(self, fields: list[SlotField], found: Iterable[Found]) -> None:
        """Hand what was found to the properties it is for: beside their cues first, then what was asked for, then in
        order."""
        left = list(found)
        self._taken += left
        waiting = list(fields)
        for one in fields:
            beside = next((each for each in left if self._is_beside(one, each)), None)
            if beside is not None:
                self._set(one, beside)
                left.remove(beside)
                waiting.remove(one)
        if self._asked in waiting and left and len(left) < len(waiting):
            waiting.remove(self._asked)
            waiting.insert(0, self._asked)
        for index, each in enumerate(left):
            if index < len(waiting):
                self._set(waiting[index], each)
            elif len(fields) == 1 and each.value != left[0].value and not self._corrects(fields[0], left, index):
                self.unclear[fields[0].name] = "several"
                self.values.pop(fields[0].name, None)

    def _corrects(self, one: SlotField, found: list[Found], index: int) -> bool:
        """Whether a second value stands in place of the first: "at eight, no, at nine", "not at eight but at nine"."""
        between = self._text[found[index - 1].end : found[index].start].lower()
        if not re.search(
            r"\b(?:no|sorry|rather|actually|instead|but|make that|nein|doch|lieber|sondern|non|plutôt|pardon)\b",
            between,
        ):
            return False
        self._set(one, found[index])
        return True

    def _is_beside(self, one: SlotField, each: Found) -> bool:
        small = lowered(self._text)
        before = small[max(0, each.start - _NEAR) : each.start]
        after = small[each.end : each.end + _NEAR]
        return any(
            re.search(rf"(?<!\w){re.escape(cue)}(?:\s+(?:on|at|is|am|um|the|den|le|à))*\W*$", before)
            or re.match(rf"\s*{re.escape(cue)}(?!\w)", after)
            for cue in one.cues
        )

    def _set(self, one: SlotField, each: Found) -> None:
        if each.why or each.value is None:
            self.unclear[one.name] = each.why or "refused"
        else:
            self.values[one.name] = each.value


def _options_in(text: str, one: SlotField) -> list[Found]:
    """The options that a text names, the longest words first; those that it turns down have a `why`."""
    small = lowered(text)
    found: list[Found] = []
    words = [(word.lower(), option.value) for option in one.options for word in option.words if word.strip()]
    for word, value in sorted(words, key=lambda pair: -len(pair[0])):
        if word.isdecimal() and one.schema.get("type") not in ("string", None):
            continue  # a number stands for itself only where it is asked for
        for match in re.finditer(rf"(?<![\w\x00]){re.escape(word)}(?:e?s)?(?![\w\x00])", small):
            place = Found(match.start(), match.end(), value, "not" if _NOT.search(small[: match.start()]) else "")
            if not place.overlaps(found):
                found.append(place)
    return found


def _number(word: str, one: SlotField) -> int | float:
    if re.fullmatch(r"\d+[.,]\d+", word):
        value = float(word.replace(",", "."))
        return int(value) if value.is_integer() and one.schema.get("type") == "integer" else value
    return number_of(word)


def _prefer(one: SlotField | None) -> Prefer:
    wanted = one.prefer if one is not None else ""
    return cast(Prefer, wanted) if wanted in {"morning", "day", "evening"} else ""
