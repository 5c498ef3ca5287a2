"""Starting the child, listening to it, and ending it when it costs too much."""

import contextlib
import importlib.util
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from knowledge.parsing.document import DocumentHead, DocumentUnreadable, ParsedDocument, ParsedPage, ParseLimits

_ROOT = Path(__file__).resolve().parents[2]
_READ_BYTES = 1 << 16
_DETAILS = {
    "document_parse_timeout": "Reading the document took longer than {wall:g} seconds. Simplify or split it.",
    "document_parse_memory": "Reading the document needs more than {memory} MB of memory. Simplify or split it.",
    "document_damaged": "The document is damaged and cannot be read. Export it again and upload the new file.",
    "document_too_large": "The document holds more text than is allowed. Split it and upload the parts.",
}


def parse_document(
    path: Path,
    *,
    filename: str,
    limits: ParseLimits = ParseLimits(),  # noqa: B008 - frozen
    on_page: Callable[[int, int], None] | None = None,
) -> ParsedDocument:
    """Read a document's text.

    Args:
        path: the file.
        filename: the name it was uploaded under; tells Markdown from plain text and serves as a title of last resort.
        limits: what the document may cost.
        on_page: called with (page, pages) after each page, in this thread. What it raises ends the child and passes on.

    Raises:
        DocumentUnreadable: the document cannot be used; ``code`` and ``detail`` say why.
        OSError: ``path`` cannot be opened.
    """
    with _child(path, limits, operation="parse", filename=filename) as child:
        head = child.line("document")["document"]
        parsed = ParsedDocument(media_type=head["media_type"], title=head["title"] or Path(filename).stem)
        while "end" not in (line := child.line("page", "end")):
            parsed.pages.append(ParsedPage(number=line["page"], text=line["text"]))
            if on_page is not None:
                with child.clock_stopped():
                    on_page(line["page"], head["pages"])
    return parsed


def inspect_document(path: Path, *, filename: str, limits: ParseLimits = ParseLimits()) -> DocumentHead:  # noqa: B008
    """What a document is, told without reading all of it: the check at the door.

    Args:
        path: the file.
        filename: the name it was uploaded under.

    Raises:
        DocumentUnreadable: as ``parse_document``, for what shows before the pages are read.
        OSError: ``path`` cannot be opened.
    """
    with _child(path, limits, operation="parse", filename=filename) as child:
        head = child.line("document")["document"]
        return DocumentHead(
            media_type=head["media_type"], title=head["title"] or Path(filename).stem, pages=head["pages"]
        )


def page_count(path: Path, *, limits: ParseLimits = ParseLimits()) -> int:  # noqa: B008 - frozen
    """Pages of a PDF.

    Raises:
        DocumentUnreadable: it cannot be opened, or is no PDF (``document_type_unsupported``).
        OSError: ``path`` cannot be opened.
    """
    with _child(path, limits, operation="count") as child:
        return int(child.line("pages")["pages"])


def render_page(path: Path, page: int, *, width: int = 1000, limits: ParseLimits = ParseLimits()) -> bytes:  # noqa: B008
    """One page of a PDF as a PNG.

    Args:
        path: the file.
        page: from 1.
        width: pixels, between 16 and 4,000; a page of extreme shape comes out narrower (``limits.image_pixels``).

    Raises:
        DocumentUnreadable: as ``parse_document``, and ``document_page_unknown``.
        ValueError: ``width`` is out of range.
        OSError: ``path`` cannot be opened.
    """
    if not 16 <= width <= 4000:
        raise ValueError(f"width must be between 16 and 4,000 pixels, not {width}")
    with _child(path, limits, operation="render", page=page, width=width) as child:
        return child.bytes(int(child.line("image")["image"]))


@contextlib.contextmanager
def _child(
    path: Path, limits: ParseLimits, *, operation: str, filename: str = "", **request: int
) -> Iterator["_Child"]:
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size > limits.file_bytes:
            raise DocumentUnreadable(
                "document_too_large",
                f"The file is larger than {limits.file_bytes / 1_048_576:g} MB. Split it and upload the parts.",
            )
        order = {
            "operation": operation,
            "filename": filename,
            "limits": asdict(limits),
            "parent": os.getpid(),
            **request,
        }
        # Nothing in the command comes from outside but the file's name, and that inside one JSON argument.
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", "-S", "-c", _bootstrap(), json.dumps(order)],
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"LC_ALL": "C.UTF-8"},
            cwd="/",
            start_new_session=True,
        )
    child = _Child(process, limits)
    try:
        yield child
    finally:
        child.end()


@cache
def _bootstrap() -> str:
    """The child's first lines: our code and PDFium's binding on its path, and no site package that starts by itself."""
    spec = importlib.util.find_spec("pypdfium2")
    if spec is None or spec.origin is None:
        raise RuntimeError("pypdfium2 is not installed")
    path = [str(_ROOT), str(Path(spec.origin).parents[1])]
    return f"import sys; sys.path += {path!r}; from knowledge.parsing.child import main; main()"


class _Child:
    """One child process: its lines, with a deadline, and its end."""

    def __init__(self, process: subprocess.Popen[bytes], limits: ParseLimits) -> None:
        assert process.stdout is not None
        self._process = process
        self._limits = limits
        self._deadline = time.monotonic() + limits.wall_seconds
        self._out = process.stdout
        self._buffer = bytearray()
        # JSON at most doubles a text of escapes and newlines; a child that says more is no longer ours.
        self._allowance = 2 * limits.text_bytes + 4 * limits.image_pixels + (1 << 20)
        os.set_blocking(self._out.fileno(), False)
        self._poll = select.poll()
        self._poll.register(self._out, select.POLLIN | select.POLLHUP)

    def line(self, *expected: str) -> dict[str, Any]:
        """The next line, which has one of the ``expected`` keys.

        Raises:
            DocumentUnreadable: the child says so, died, or ran out of time.
        """
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            self._fill()
        try:
            line = json.loads(self._buffer[:end])
        except ValueError:
            line = None
        del self._buffer[: end + 1]
        if isinstance(line, dict) and "code" in line:
            raise self._unreadable(str(line["code"]), str(line.get("detail", "")))
        if not isinstance(line, dict) or not any(key in line for key in expected):
            raise self._unreadable("document_damaged")
        return line

    def bytes(self, size: int) -> bytes:
        """The next ``size`` bytes."""
        while len(self._buffer) < size:
            self._fill()
        return bytes(self._buffer[:size])

    @contextlib.contextmanager
    def clock_stopped(self) -> Iterator[None]:
        """Time spent inside is the caller's and does not count against the document."""
        before = time.monotonic()
        yield
        self._deadline += time.monotonic() - before

    def end(self) -> None:
        """Kill the whole process group, if anything of it is left, and collect the child."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._out.close()
        self._process.wait()

    def _fill(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0 or not self._poll.poll(left * 1000):
            raise self._unreadable("document_parse_timeout")
        data = os.read(self._out.fileno(), _READ_BYTES)
        if not data:
            raise self._died()
        self._allowance -= len(data)
        if self._allowance < 0:
            raise self._unreadable("document_too_large")
        self._buffer += data

    def _died(self) -> DocumentUnreadable:
        try:
            status = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return self._unreadable("document_damaged")
        if status == -signal.SIGXCPU:
            return self._unreadable("document_parse_timeout")
        # PDFium aborts (or traps) when an allocation fails; the kernel's own out-of-memory killer sends SIGKILL.
        if status in (-signal.SIGABRT, -signal.SIGTRAP, -signal.SIGILL, -signal.SIGKILL):
            return self._unreadable("document_parse_memory")
        return self._unreadable("document_damaged")

    def _unreadable(self, code: str, detail: str = "") -> DocumentUnreadable:
        if not detail:
            memory = self._limits.memory_bytes // 1_048_576
            detail = _DETAILS[code].format(wall=self._limits.wall_seconds, memory=memory)
        return DocumentUnreadable(code, detail)
