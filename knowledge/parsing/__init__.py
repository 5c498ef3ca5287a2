"""Reading uploaded documents: PDF, plain text and Markdown, in a child process that can be killed.

``parse_document`` and ``render_page`` are the doors. The bytes of an upload are only ever interpreted in the child
(``knowledge.parsing.child``), which has no Django, no environment, no credentials and hard limits on memory, CPU time,
open files and written bytes; what goes wrong there arrives here as ``DocumentUnreadable`` with a stable code.
"""

from knowledge.parsing.document import DocumentHead, DocumentUnreadable, ParsedDocument, ParsedPage, ParseLimits
from knowledge.parsing.parent import inspect_document, page_count, parse_document, render_page

__all__ = [
    "DocumentHead",
    "DocumentUnreadable",
    "ParseLimits",
    "ParsedDocument",
    "ParsedPage",
    "inspect_document",
    "page_count",
    "parse_document",
    "render_page",
]
