"""What changed, as people read it."""

from tenants.audit.changes import LONGEST_TEXT, MOST_CHANGES, Line, changes_of
from tenants.audit.models import AuditEvent


def said(old, new):
    return [(change.name, change.old, change.new) for change in changes_of(AuditEvent(old=old, new=new))]


def test_values_are_said_in_words():
    old = {"is_active": True, "live_release_id": None, "tags": ["a", "b"], "name": "Menus", "count": 3}
    new = {"is_active": False, "live_release_id": "7", "tags": [], "name": "", "count": 4}
    assert said(old, new) == [
        ("Is active", "yes", "no"),
        ("Live release", "nothing", "7"),
        ("Tags", "a, b", "(none)"),
        ("Name", "Menus", "(empty)"),
        ("Count", "3", "4"),
    ]


def test_of_a_json_object_only_what_differs_shows():
    old = {"draft": {"text": "Be kind", "limits": {"turns": 3, "seconds": 5}}}
    new = {"draft": {"text": "Be kind", "limits": {"turns": 4, "seconds": 5}, "voice": "calm"}}
    assert said(old, new) == [("Draft / limits / turns", "3", "4"), ("Draft / voice", "nothing", "calm")]


def test_of_what_is_new_only_what_was_filled_in_shows():
    assert said(None, {"name": "Menus", "description": "", "deleted_at": None, "draft": {}}) == [
        ("Name", "nothing", "Menus")
    ]
    assert said({"name": "Menus", "description": ""}, None) == [("Name", "Menus", "nothing")]
    assert said(None, None) == []


def test_a_long_text_is_compared_line_by_line():
    old = "\n".join(f"Rule {number}" for number in range(20))
    new = old.replace("Rule 4\n", "Rule four\n") + "\nRule 20"
    (change,) = changes_of(AuditEvent(old={"text": old}, new={"text": new}))
    assert change.lines == (
        Line("same", "Rule 3"),
        Line("old", "Rule 4"),
        Line("new", "Rule four"),
        Line("same", "Rule 5"),
        Line("gap", "…"),
        Line("same", "Rule 19"),
        Line("new", "Rule 20"),
    )


def test_no_event_makes_a_page_without_end():
    huge = {f"column_{number}": "x" * 100_000 for number in range(500)}
    changes = changes_of(AuditEvent(old={}, new=huge))
    assert len(changes) == MOST_CHANGES
    assert all(len(change.new) < LONGEST_TEXT + 40 for change in changes)
    text = "\n".join(str(number) for number in range(20_000))
    (change,) = changes_of(AuditEvent(old={"text": text}, new={"text": text[::-1]}))
    assert change.lines == ()
    deep = {}
    for _ in range(50):
        deep = {"in": deep or 1}
    assert len(said({"draft": {}}, {"draft": deep})) == 1
