"""The Playground's modules, each by itself in a real browser: the event stream, and how an answer is drawn."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, sync_playwright

STATIC = Path(__file__).resolve().parents[2] / "platform" / "switchboard" / "static" / "switchboard"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
ORIGIN = "http://harbour.test"


def _serve(route: Route) -> None:
    name = route.request.url.removeprefix(f"{ORIGIN}/").partition("?")[0]
    if name.endswith(".js"):
        route.fulfill(path=STATIC / name, content_type="text/javascript")
    else:
        route.fulfill(body="<!doctype html><title>empty</title><main></main>", content_type="text/html")


@pytest.fixture(scope="module")
def window() -> Iterator[Page]:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    program = next(filter(None, map(shutil.which, names)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        page = browser.new_page()
        page.route("**/*", _serve)
        page.goto(ORIGIN)
        yield page
        browser.close()


def run(window: Page, script: str, argument: Any = None) -> Any:
    """Run a script with both modules at hand."""
    return window.evaluate(
        """async ([script, argument]) => {
            const stream = await import("/event-stream.js");
            const answer = await import("/answer.js");
            const body = `return (async () => { ${script} })()`;
            return new Function("stream", "answer", "argument", body)(stream, answer, argument);
        }""",
        [script, argument],
    )


# `connections` are lists of pieces of text; each one ends, or breaks where it says so.
FOLLOW = """
    const asked = [], events = [], drops = [];
    const connections = [...argument.connections];
    const open = async (after) => {
        asked.push(after);
        const next = connections.shift();
        if (next === undefined || next === "refused") throw new TypeError("no network");
        if (next.status) return new Response(JSON.stringify({ code: "c", detail: "No." }), { status: next.status });
        const body = new ReadableStream({
            async pull(sink) {
                await new Promise((resolve) => setTimeout(resolve));
                const piece = next.shift();
                if (piece === undefined) sink.close();
                else if (piece === "BREAK") sink.error(new Error("reset"));
                else sink.enqueue(new TextEncoder().encode(piece));
            },
        });
        return new Response(body);
    };
    let failure = "";
    try {
        const isLast = ({ event }) => event === "done";
        const onDrop = (lost) => drops.push(lost);
        const tries = argument.tries ?? 8;
        for await (const { id, data } of stream.follow({ open, isLast, onDrop, tries, after: argument.after ?? 0 }))
            events.push([id, data.text]);
    } catch (error) {
        failure = `${error.constructor.name}: ${error.message}`;
    }
    return { asked, events, drops, failure };
"""


def event(number: int, text: str, name: str = "delta") -> str:
    return f'id: {number}\nevent: {name}\ndata: {{"text":"{text}"}}\n\n'


def follow(window: Page, *connections: Any, **options: Any) -> Any:
    return run(window, FOLLOW, {"connections": list(connections), **options})


ALL = [[1, "a"], [2, "b"], [3, "c"]]


def test_a_stream_is_read_to_its_end_and_not_opened_again(window: Page) -> None:
    seen = follow(window, [event(1, "a"), event(2, "b"), event(3, "c", "done"), event(4, "never")])
    assert seen == {"asked": [0], "events": ALL, "drops": [], "failure": ""}


def test_events_are_whole_however_they_arrive(window: Page) -> None:
    text = ": still here\n\n" + event(1, "a") + event(2, "b").replace("\n", "\r\n") + event(3, "c", "done")
    assert follow(window, list(text))["events"] == ALL
    assert follow(window, [text])["events"] == ALL


def test_a_broken_connection_is_resumed_after_the_last_event(window: Page) -> None:
    half = event(2, "b")[:20]
    seen = follow(window, [event(1, "a"), half, "BREAK"], [event(2, "b"), event(3, "c", "done")])
    assert seen["events"] == ALL
    assert seen["asked"] == [0, 1]
    assert seen["drops"] == [True, False]


def test_an_event_that_comes_twice_is_shown_once(window: Page) -> None:
    seen = follow(window, [event(1, "a"), event(2, "b")], [event(1, "a"), event(2, "b"), event(3, "c", "done")])
    assert seen["events"] == ALL


def test_it_begins_after_what_is_known(window: Page) -> None:
    seen = follow(window, [event(1, "a"), event(2, "b"), event(3, "c", "done")], after=2)
    assert (seen["asked"], seen["events"]) == ([2], [[3, "c"]])


def test_no_network_and_a_failing_server_are_waited_for(window: Page) -> None:
    seen = follow(window, "refused", {"status": 503}, [event(1, "a", "done")])
    assert seen["events"] == [[1, "a"]]


def test_a_refusal_is_told_at_once(window: Page) -> None:
    seen = follow(window, {"status": 409}, [event(1, "a", "done")])
    assert (seen["failure"], seen["asked"]) == ("Refused: No.", [0])


def test_it_gives_up_in_the_end(window: Page) -> None:
    seen = follow(window, "refused", "refused", tries=2)
    assert seen["failure"].startswith("ConnectionLost")
    assert seen["asked"] == [0, 0]


def drawn(window: Page, text: str, **citation: str) -> Any:
    """An answer's HTML, with a source of the number 1."""
    source = {"title": "Rules", "page": 3, "quote": "q", "url": "/documents/x/pages/3?token=t", **citation}
    return run(
        window,
        """const place = document.createElement("div");
        place.append(...answer.answerNodes(argument.text, new Map([[1, argument.source]])));
        return place.innerHTML;""",
        {"text": text, "source": source},
    )


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("One.\nTwo.\n\nThree.", "<p>One.<br>Two.</p><p>Three.</p>"),
        ("- a\n- b\n\nc", "<ul><li>a</li><li>b</li></ul><p>c</p>"),
        ("2. a\n3. b", '<ol start="2"><li>a</li><li>b</li></ol>'),
        ("**bold** and `code`", "<p><strong>bold</strong> and <code>code</code></p>"),
        ("# Head\ntext", '<p class="sb-heading">Head</p><p>text</p>'),
        ("> said\n> so", "<blockquote>said<br>so</blockquote>"),
        ("see [7] **", "<p>see [7] **</p>"),
        ("<img src=x onerror=alert(1)>", "<p>&lt;img src=x onerror=alert(1)&gt;</p>"),
        ("", ""),
    ],
)
def test_an_answer_is_drawn_as_text(window: Page, text: str, html: str) -> None:
    assert drawn(window, text) == html


def test_a_mark_opens_its_source(window: Page) -> None:
    html = drawn(window, "Dogs may stay [1].")
    assert 'href="/documents/x/pages/3?token=t"' in html
    assert 'target="_blank"' in html
    assert 'rel="noopener"' in html


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "https://elsewhere.test/x", "//elsewhere.test", "data:text/html,x", ""]
)
def test_a_source_leads_nowhere_but_to_our_own_host(window: Page, url: str) -> None:
    assert "elsewhere" not in (html := drawn(window, "See [1].", url=url))
    assert "javascript" not in html
    assert "data:" not in html
