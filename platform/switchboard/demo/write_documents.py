"""Render the demo companies' documents: `python platform/switchboard/demo/write_documents.py`.

A Markdown source that opens with front matter becomes a PDF; any other source is copied as it is. The Markdown is the
small part these documents use: `##`/`###` headings (`## left || right` puts the rest at the right margin), paragraphs,
`-` and `1.` lists, tables, `>` callouts, **bold**, *italic*, and three directives on lines of their own:
`<!-- page -->`, `<!-- drawing: name -->` and `<!-- space: points -->`. A table's columns are as wide as its dashes.

The same sources always give the same bytes: built-in fonts, no timestamps, and no compression (deflate's output differs
between zlib builds). Needs reportlab, a development dependency; the platform itself reads only what this wrote.
"""

import io
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from reportlab.graphics import renderPDF
from reportlab.lib.colors import Color, HexColor, white
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Frame,
    KeepTogether,
    ListFlowable,
    ListItem,
    NextPageTemplate,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from switchboard.demo.illustrations import INLINE, SCENES, Palette

FOLDER = Path(__file__).parent
PAGE_WIDTH, PAGE_HEIGHT = A4
MARGIN = 19 * mm
TEXT_WIDTH = PAGE_WIDTH - 2 * MARGIN
COVER_BAND = 58 * mm
SLIM_BAND = 13 * mm
FOOTER = 20 * mm


@dataclass(frozen=True)
class Theme:
    """A company's look. Colours are hex strings; `heading` and `body` are families among PDF's built-in fonts."""

    company: str
    address: str
    band: str
    accent: str
    tint: str
    ink: str
    heading: str
    heading_bold: str

    def palette(self) -> Palette:
        return Palette(HexColor(self.band), HexColor(self.accent), HexColor(self.tint), HexColor(self.ink))


class Renderer:
    """Turns one Markdown source into the bytes of a PDF."""

    def __init__(self, theme: Theme, front: dict[str, Any], body: str) -> None:
        self.theme, self.front, self.body = theme, front, body
        self.palette = theme.palette()
        base = ParagraphStyle(
            "body", fontName="Helvetica", fontSize=10.3, leading=15, textColor=self.palette.ink, spaceAfter=6
        )
        head = ParagraphStyle("head", base, fontName=theme.heading_bold, textColor=self.palette.band, keepWithNext=1)
        self.styles = {
            "body": base,
            "lead": ParagraphStyle("lead", base, fontName=theme.heading, fontSize=12.4, leading=17.4, spaceAfter=10),
            "h2": ParagraphStyle("h2", head, fontSize=15.5, leading=20, spaceBefore=11, spaceAfter=5),
            "h3": ParagraphStyle("h3", head, fontSize=11.4, leading=15, spaceBefore=10, spaceAfter=3),
            "cell": ParagraphStyle("cell", base, fontSize=9.5, leading=12.6, spaceAfter=0),
            "th": ParagraphStyle(
                "th", base, fontName="Helvetica-Bold", fontSize=9, leading=11.6, textColor=white, spaceAfter=0
            ),
            "note": ParagraphStyle("note", base, fontSize=9.9, leading=14, spaceAfter=0),
        }

    def pdf(self) -> bytes:
        """The document's bytes. Built twice, because a footer that says 'of 4' has to know the 4."""
        _, pages = self._build(0)
        return self._build(pages)[0]

    def _build(self, total: int) -> tuple[bytes, int]:
        target = io.BytesIO()
        document = BaseDocTemplate(
            target,
            pagesize=A4,
            title=self.front["title"],
            author=self.theme.company,
            subject=self.front["subtitle"],
            creator="write_documents.py",
            lang="en-GB",
            invariant=1,
            pageCompression=0,
        )
        templates = []
        for name, band, on_page in (("first", COVER_BAND, self._cover), ("later", SLIM_BAND, self._slim)):
            height = PAGE_HEIGHT - band - FOOTER - 6 * mm
            frame = Frame(MARGIN, FOOTER, TEXT_WIDTH, height, 0, 0, 0, 0)
            templates.append(
                PageTemplate(
                    name, [frame], onPage=on_page, onPageEnd=lambda canvas, doc: self._footer(canvas, doc.page, total)
                )
            )
        document.addPageTemplates(templates)
        document.build([NextPageTemplate("later"), *self._story()])
        return target.getvalue(), document.page

    def _cover(self, canvas: Any, _document: Any) -> None:
        base = PAGE_HEIGHT - COVER_BAND
        canvas.setFillColor(self.palette.band)
        canvas.rect(0, base, PAGE_WIDTH, COVER_BAND, stroke=0, fill=1)
        scene = SCENES[self.front["scene"]](self.palette)
        renderPDF.draw(scene, canvas, PAGE_WIDTH - scene.width, base)
        canvas.setFillColor(self.palette.accent)
        canvas.rect(0, base - 1.2 * mm, PAGE_WIDTH, 1.2 * mm, stroke=0, fill=1)
        canvas.setFont("Helvetica-Bold", 8.5)
        canvas.drawString(MARGIN, PAGE_HEIGHT - 14 * mm, self.theme.company.upper(), charSpace=1.4)
        canvas.setFillColor(white)
        canvas.setFont(self.theme.heading_bold, 27)
        canvas.drawString(MARGIN, PAGE_HEIGHT - 28 * mm, self.front["title"])
        canvas.setFont(self.theme.heading, 11.5)
        canvas.drawString(MARGIN, PAGE_HEIGHT - 35.5 * mm, self.front["subtitle"])
        canvas.setFont("Helvetica", 8)
        canvas.drawString(MARGIN, PAGE_HEIGHT - 43 * mm, self.front["issue"])

    def _slim(self, canvas: Any, _document: Any) -> None:
        base = PAGE_HEIGHT - SLIM_BAND
        canvas.setFillColor(self.palette.band)
        canvas.rect(0, base, PAGE_WIDTH, SLIM_BAND, stroke=0, fill=1)
        canvas.setFillColor(self.palette.accent)
        canvas.rect(0, base - 0.8 * mm, PAGE_WIDTH, 0.8 * mm, stroke=0, fill=1)
        canvas.setFillColor(white)
        canvas.setFont(self.theme.heading_bold, 10.5)
        canvas.drawString(MARGIN, base + 4.6 * mm, self.front["title"])
        canvas.setFont("Helvetica", 8)
        canvas.drawRightString(PAGE_WIDTH - MARGIN, base + 4.8 * mm, self.theme.company)

    def _footer(self, canvas: Any, page: int, total: int) -> None:
        canvas.setStrokeColor(self.palette.accent)
        canvas.setLineWidth(0.6)
        canvas.line(MARGIN, 14 * mm, PAGE_WIDTH - MARGIN, 14 * mm)
        canvas.setFillColor(self.palette.ink)
        canvas.setFont("Helvetica", 7.6)
        canvas.drawString(MARGIN, 10 * mm, self.theme.address)
        canvas.drawRightString(PAGE_WIDTH - MARGIN, 10 * mm, f"Page {page} of {total}")

    def _story(self) -> list[Any]:
        flowables = list(self._flowables())
        if not self.front.get("keep_sections"):
            return flowables
        # A section (a property, say) is moved whole to the next page rather than cut in two.
        starts = [i for i, flowable in enumerate(flowables) if getattr(flowable, "section_start", False)]
        bounds = [*starts, len(flowables)]
        sections: list[Any] = [KeepTogether(flowables[start:end]) for start, end in pairwise(bounds)]
        return [*flowables[: bounds[0]], *sections]

    def _flowables(self) -> Iterator[Any]:
        first = True
        for block in re.split(r"\n\s*\n", self.body.strip()):
            lines = block.strip("\n").split("\n")
            head = lines[0]
            if directive := re.fullmatch(r"<!-- (\w+)(?:: ([\w-]+))? -->", head):
                yield self._directive(directive[1], directive[2])
            elif head.startswith("## "):
                yield CondPageBreak(28 * mm)
                yield self._section(head[3:])
            elif head.startswith("### "):
                yield Paragraph(_inline(head[4:]), self.styles["h3"])
            elif head.startswith("|"):
                yield self._table(lines)
                yield Spacer(1, 7)
            elif head.startswith("> "):
                yield self._callout(" ".join(line.lstrip("> ") for line in lines))
                yield Spacer(1, 7)
            elif re.match(r"(-|\d+\.) ", head):
                yield self._list(lines)
                yield Spacer(1, 5)
            else:
                yield Paragraph(_inline(" ".join(lines)), self.styles["lead" if first else "body"])
            first = False

    def _directive(self, name: str, value: str | None) -> Any:
        if name == "page":
            return PageBreak()
        if name == "space":
            return Spacer(1, float(value or 0))
        if name == "drawing" and value:
            return INLINE[value](self.palette, TEXT_WIDTH)
        raise ValueError(f"Unknown directive {name}.")

    def _section(self, text: str) -> Any:
        left, _, right = (part.strip() for part in text.partition("||"))
        flowable: Any
        if right:
            aside = ParagraphStyle("aside", self.styles["h2"], alignment=TA_RIGHT, textColor=self.palette.accent)
            cells = [[Paragraph(_inline(left), self.styles["h2"]), Paragraph(_inline(right), aside)]]
            style = TableStyle(
                [
                    ("LINEBELOW", (0, 0), (-1, -1), 0.8, self.palette.accent),
                    ("LEFTPADDING", (0, 0), (-1, -1), 0),
                    ("RIGHTPADDING", (0, 0), (-1, -1), 0),
                    ("VALIGN", (0, 0), (-1, -1), "BOTTOM"),
                ]
            )
            flowable = Table(cells, [TEXT_WIDTH * 0.66, TEXT_WIDTH * 0.34], style=style, spaceBefore=9, spaceAfter=5)
            flowable.keepWithNext = 1
        else:
            flowable = Paragraph(_inline(left), self.styles["h2"])
        flowable.section_start = True
        return flowable

    def _table(self, lines: list[str]) -> Any:
        rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
        rule = rows.pop(1)
        total = sum(len(cell) for cell in rule)
        widths = [TEXT_WIDTH * len(cell) / total for cell in rule]
        cells = []
        for number, row in enumerate(rows):
            style = self.styles["cell" if number else "th"]
            right = ParagraphStyle("right", style, alignment=TA_RIGHT)
            cells.append(
                [
                    Paragraph(_inline(cell), right if mark.endswith(":") else style)
                    for cell, mark in zip(row, rule, strict=True)
                ]
            )
        style = TableStyle(
            [
                ("BACKGROUND", (0, 0), (-1, 0), self.palette.band),
                ("ROWBACKGROUNDS", (0, 1), (-1, -1), [white, self.palette.tint]),
                ("LINEBELOW", (0, -1), (-1, -1), 0.8, self.palette.accent),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("TOPPADDING", (0, 0), (-1, -1), 3.8),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 4.4),
            ]
        )
        return Table(cells, widths, style=style, repeatRows=1)

    def _callout(self, text: str) -> Any:
        style = TableStyle(
            [
                ("BACKGROUND", (0, 0), (-1, -1), self.palette.tint),
                ("LINEBEFORE", (0, 0), (0, -1), 2.4, self.palette.accent),
                ("LEFTPADDING", (0, 0), (-1, -1), 10),
                ("TOPPADDING", (0, 0), (-1, -1), 6),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 7),
            ]
        )
        return Table([[Paragraph(_inline(text), self.styles["note"])]], [TEXT_WIDTH], style=style)

    def _list(self, lines: list[str]) -> Any:
        items: list[str] = []
        for line in lines:
            if re.match(r"(-|\d+\.) ", line):
                items.append(line.split(" ", 1)[1])
            else:
                items[-1] += " " + line.strip()
        tight = ParagraphStyle("item", self.styles["body"], spaceAfter=2.5)
        numbered = lines[0][0].isdigit()
        colour: Color = self.palette.accent
        return ListFlowable(
            [ListItem(Paragraph(_inline(item), tight)) for item in items],
            bulletType="1" if numbered else "bullet",
            start=None if numbered else "•",
            bulletFormat="%s." if numbered else None,
            bulletColor=colour,
            bulletFontName="Helvetica-Bold",
            bulletFontSize=9.6,
            leftIndent=15,
        )


def _inline(text: str) -> str:
    text = escape(text, quote=False)
    text = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", text)
    return re.sub(r"\*(.+?)\*", r"<i>\1</i>", text)


def render_company(slug: str) -> dict[str, bytes]:
    """Render one company's sources.

    Args:
        slug: the company's folder beside this module.

    Returns:
        The bytes of every document, by file name.
    """
    source = FOLDER / slug / "source"
    theme = Theme(**yaml.safe_load((source / "theme.yaml").read_text(encoding="utf-8")))
    documents: dict[str, bytes] = {}
    for path in sorted(source.iterdir()):
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".md" and text.startswith("---\n"):
            _, front, body = text.split("---\n", 2)
            documents[f"{path.stem}.pdf"] = Renderer(theme, yaml.safe_load(front), body).pdf()
        elif path.suffix in {".md", ".txt"}:
            documents[path.name] = text.encode()
    return documents


def main() -> None:
    """Write every company's documents, and remove those that no longer have a source."""
    for slug in ("harbour", "agency"):
        target = FOLDER / slug / "documents"
        target.mkdir(exist_ok=True)
        documents = render_company(slug)
        for stale in {path.name for path in target.iterdir()} - documents.keys():
            (target / stale).unlink()
        for name, data in documents.items():
            (target / name).write_bytes(data)
            sys.stdout.write(f"{slug}/{name}: {len(data):,} bytes\n")


if __name__ == "__main__":
    main()
