"""A page as it is for whoever has no mouse: where Tab leads, one stop after the other, until it leads there again."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

# What a screen reader calls it; whether one sees that it has the focus; whether something else lies over it.
_STOP = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  const words = (node) => {
    const bare = node.cloneNode(true);
    bare.querySelectorAll("[aria-hidden=true], select, textarea").forEach((part) => part.remove());
    return bare.textContent.replace(/\\s+/g, " ").trim();
  };
  const label = at.labels?.length ? words(at.labels[0]) : "";
  const style = getComputedStyle(at);
  const isMarked = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  const box = at.getClientRects()[0] ?? at.getBoundingClientRect();
  const over = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
  const isFree = over && (at.contains(over) || over.closest("label")?.control === at);
  window.stops ??= new Map();
  if (!window.stops.has(at)) window.stops.set(at, window.stops.size);
  return {
    key: window.stops.get(at),
    name: at.getAttribute("aria-label") || label || words(at) || at.title || at.outerHTML.slice(0, 200),
    isMarked: at.matches(":focus-visible") && isMarked,
    isFree: Boolean(isFree),
  };
}"""
# Radio buttons are one stop together, at the one that is chosen.
_REACHABLE = """() => [
    ...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']"),
  ].filter((node) => node.checkVisibility({ visibilityProperty: true }) && !node.disabled && !node.closest("[inert]")
    && node.tabIndex >= 0 && (node.type !== "radio" || node.checked) && !window.stops.has(node))
  .map((node) => node.outerHTML.slice(0, 200))"""
_MOST = 150


def walk(page: Page) -> list[str]:
    """Press Tab until it leads to where it led first, and name the stops from the page's first to its last.

    Everything that can be reached is, whatever has the focus is seen to have it, and nothing keeps it.
    """
    page.evaluate("window.stops = undefined")
    stops: list[dict[str, Any]] = []
    end = 0
    for _ in range(_MOST):
        page.keyboard.press("Tab")
        stop = page.evaluate(_STOP)
        if stop is None:
            end = len(stops)  # between the last stop and the first
            continue
        if stops and stop["key"] == stops[0]["key"]:
            break
        assert stop["key"] == len(stops), f"the focus goes back to {stop['name']}, after {[s['name'] for s in stops]}"
        stops.append(stop)
    else:
        raise AssertionError(f"Tab leads on and on: {[stop['name'] for stop in stops]}")
    unmarked = [stop["name"] for stop in stops if not stop["isMarked"]]
    assert not unmarked, f"the focus isn't seen on {unmarked}"
    covered = [stop["name"] for stop in stops if not stop["isFree"]]
    assert not covered, f"something lies over {covered}"
    missed = page.evaluate(_REACHABLE)
    assert not missed, f"Tab doesn't lead to {missed}"
    return [str(stop["name"]) for stop in (*stops[end:], *stops[:end])]
