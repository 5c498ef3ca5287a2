"""How events look in the admin: a form that asks for them, a page of them, and of which one they are."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from tenants.audit.changes import Change, changes_of
from tenants.audit.models import AuditEvent
from tenants.audit.queries import actions, find_events

PAGE_SIZE: Final = 30
_ICONS: Final = {
    "staff": "person",
    "operator": "shield_person",
    "api_key": "key",
    "contact": "chat",
    "system": "settings",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """An event as a page shows it."""

    event: AuditEvent
    changes: list[Change]
    icon: str
    style: str


@dataclass(frozen=True, slots=True)
class EventPage:
    """A page of events, and where the older ones are."""

    events: list[Shown]
    older: str


class AuditForm(forms.Form):
    """What the list can be asked for."""

    text = forms.CharField(
        label="Search",
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "Action, name or person", "type": "search"}),
    )
    actor = forms.CharField(label="Who", required=False, max_length=200, widget=UnfoldAdminTextInputWidget())
    action = forms.ChoiceField(label="Action", required=False, widget=UnfoldAdminSelectWidget())
    since = forms.DateField(
        label="From",
        required=False,
        widget=UnfoldAdminTextInputWidget(
            attrs={"type": "date"},
        ),
    )
    until = forms.DateField(label="To", required=False, widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}))
    entity_id = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        self.fields["action"].choices = [("", "All"), *((word, word) for word in actions())]  # type: ignore[attr-defined]

    def filters(self) -> dict[str, Any]:
        """What `find_events` is asked for. A wrong field asks for nothing; the form says what is wrong."""
        self.is_valid()
        wanted = {name: value for name, value in self.cleaned_data.items() if value}
        if "since" in wanted:
            wanted["since"] = _midnight(wanted["since"])
        # The day itself belongs to it; there is none after the last.
        until = wanted.pop("until", dt.date.max)
        if until < dt.date.max:
            wanted["until"] = _midnight(until + dt.timedelta(days=1))
        return wanted

    def query(self) -> str:
        """The same as a query string, for links."""
        return urlencode({name: value for name, value in self.cleaned_data.items() if value})


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)


def page_of(events: QuerySet[AuditEvent], *, before: str = "", query: str = "") -> EventPage:
    """A page of events.

    Args:
        events: newest first.
        before: show those before this position; what is none is left out.
        query: what a link to the older ones must say besides.
    """
    if before.isdecimal() and len(before) < 19:
        events = events.filter(position__lt=int(before))
    found = list(events[: PAGE_SIZE + 1])
    has_more = len(found) > PAGE_SIZE
    older = urlencode({"before": found[PAGE_SIZE - 1].position}) if has_more else ""
    return EventPage(
        [shown(event) for event in found[:PAGE_SIZE]], "&".join(filter(None, (query, older))) if older else ""
    )


def shown(event: AuditEvent) -> Shown:
    """An event with its changes in words."""
    verb = event.action.rpartition(".")[2]
    style = {"created": "sb-good", "deleted": "sb-bad", "emptied": "sb-bad"}.get(verb, "")
    return Shown(event, changes_of(event), _ICONS.get(event.actor_kind, "settings"), style)


def found_by(form: AuditForm) -> QuerySet[AuditEvent]:
    """The events that a form asks for."""
    return find_events(**form.filters())
