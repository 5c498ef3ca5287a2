"""The child process: reads one document from its standard input and answers on its standard output.

It answers in JSON lines: ``{"document": …}`` once, ``{"page": n, "text": …}`` for each page and ``{"end": true}``; or
``{"image": bytes}`` followed by that many bytes of PNG; or ``{"code": …, "detail": …}`` when the document is unusable.
Nothing here may import Django or read the environment. The parent starts it with an empty one, without site packages'
start-up hooks, and this module takes away the rest before it looks at the first byte of the document.
"""

import ctypes
import gc
import json
import mmap
import os
import resource
import signal
import sys
from typing import Any, NoReturn

from knowledge.parsing import content, pdf, textfile
from knowledge.parsing.document import PDF, DocumentUnreadable, ParseLimits

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_OPEN_FILES = 16


def main() -> NoReturn:
    """Do what the one argument (JSON: operation, parent, filename, limits, page, width) asks, then exit."""
    request = json.loads(sys.argv[1])
    limits = ParseLimits(**request["limits"])
    _confine(limits, parent=request["parent"])
    try:
        _answer(request, limits)
    except DocumentUnreadable as error:
        _send({"code": error.code, "detail": error.detail})
    except MemoryError:
        gc.collect()
        _send({"code": "document_parse_memory", "detail": ""})
    except BrokenPipeError:
        os._exit(1)
    except Exception as error:  # whatever a hostile file provokes: the parent tells it as a damaged document
        _send({"code": "document_damaged", "detail": "", "cause": type(error).__name__})
    sys.stdout.buffer.flush()
    # Nothing is worth tearing down, and PDFium's teardown of a broken document may crash.
    os._exit(0)


def _confine(limits: ParseLimits, *, parent: int) -> None:
    """Take away what parsing does not need, before the document is touched. Where a system lacks a limit (macOS has no
    address-space limit), the clock in the parent still holds."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
    for kind, soft, hard in (
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES, _OPEN_FILES),
        (resource.RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds + 1),
        (resource.RLIMIT_AS, *(2 * [_address_space() + limits.file_bytes + limits.memory_bytes])),
    ):
        try:
            resource.setrlimit(kind, (soft, hard))
        except (ValueError, OSError):
            continue


def _address_space() -> int:
    """Bytes of address space already in use (0 where the system does not say)."""
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[0]) * mmap.PAGESIZE
    except OSError:
        return 0


def _answer(request: dict[str, Any], limits: ParseLimits) -> None:
    size = os.fstat(0).st_size
    if size == 0:
        raise DocumentUnreadable("document_empty", "The file is empty: it has no bytes.")
    # A private, copy-on-write map: PDFium reads it in place, and nothing can be written back.
    data = mmap.mmap(0, size, access=mmap.ACCESS_COPY)
    media_type = content.media_type(data[:65536], filename=request["filename"])
    operation = request["operation"]
    if operation == "parse":
        reader = pdf if media_type == PDF else textfile
        for line in reader.read(data, media_type=media_type, filename=request["filename"], limits=limits):
            _send(line)
        _send({"end": True})
        return
    if media_type != PDF:
        raise DocumentUnreadable("document_type_unsupported", "Only the pages of a PDF can be counted or shown.")
    if operation == "count":
        _send({"pages": pdf.page_count(data)})
    else:
        image = pdf.render(data, page=request["page"], width=request["width"], limits=limits)
        _send({"image": len(image)})
        sys.stdout.buffer.write(image)


def _send(line: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(line, ensure_ascii=False).encode("utf-8", errors="replace") + b"\n")
    sys.stdout.buffer.flush()
