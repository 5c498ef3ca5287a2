"""PDF files made by hand, honest and hostile, compact enough to be read here."""

import io
import zlib

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

_FONT = b"<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>>>>>"


def typeset(*pages: str, title: str = "", password: str | None = None) -> bytes:
    """A PDF with one line of text per line of each page."""
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=A4, encrypt=password)
    canvas.setTitle(title)
    for page in pages:
        for row, line in enumerate(page.split("\n")):
            canvas.drawString(72, 770 - 15 * row, line)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def assemble(*objects: bytes) -> bytes:
    """A PDF of these objects, numbered from 1; the first is the catalog."""
    out = bytearray(b"%PDF-1.7\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
    return bytes(out)


def stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<</Length %d%b>>\nstream\n%b\nendstream" % (len(data), entries, data)


def one_page(
    content: bytes, *, box: bytes = b"0 0 600 800", resources: bytes = _FONT, more: tuple[bytes, ...] = ()
) -> bytes:
    """A PDF of one page whose content is object 4; ``more`` become objects 5 and on."""
    return assemble(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[%b]/Contents 4 0 R/Resources%b>>" % (box, resources),
        content,
        *more,
    )


def many_pages(count: int) -> bytes:
    """A PDF of ``count`` empty pages."""
    kids = b" ".join(b"%d 0 R" % number for number in range(3, count + 3))
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]>>"
    return assemble(
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[%b]/Count %d>>" % (kids, count), *([page] * count)
    )


def decompression_bomb(megabytes: int = 2000) -> bytes:
    """A page whose content is a few kilobytes that inflate twice, to ``megabytes``."""
    compress = zlib.compressobj(9)
    # A block that a full flush ends stands on its own, so it can be repeated without compressing it again.
    head = compress.compress(b" ") + compress.flush(zlib.Z_FULL_FLUSH)
    block = compress.compress(b"(A) Tj " * 149_797) + compress.flush(zlib.Z_FULL_FLUSH)
    inner = head + block * megabytes + b"\x03\x00"
    return one_page(stream(zlib.compress(inner, 9), b"/Filter[/FlateDecode/FlateDecode]"))


def laughing_forms(depth: int = 12) -> bytes:
    """A page that draws a form that draws a form ten times, ``depth`` deep: small, and endless to read."""
    forms = [
        stream(
            b"/X Do " * 10,
            b"/Type/XObject/Subtype/Form/BBox[0 0 600 800]/Resources<</XObject<</X %d 0 R>>>>" % (number + 1),
        )
        for number in range(5, 5 + depth)
    ]
    last = stream(
        b"BT /F 12 Tf 50 700 Td (lol) Tj ET", b"/Type/XObject/Subtype/Form/BBox[0 0 600 800]/Resources%b" % _FONT
    )
    return one_page(stream(b"/X Do " * 10), resources=b"<</XObject<</X 5 0 R>>>>", more=(*forms, last))
