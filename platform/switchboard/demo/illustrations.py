"""The vector drawings in the demo documents: scenes for the cover bands, and plans that stand in the text."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from reportlab.graphics.shapes import Circle, Drawing, Ellipse, Line, Path, Polygon, Rect, String
from reportlab.lib.colors import Color, linearlyInterpolatedColor, white

SCENE_WIDTH, SCENE_HEIGHT = 250.0, 164.4


@dataclass(frozen=True)
class Palette:
    """A company's four colours."""

    band: Color
    accent: Color
    tint: Color
    ink: Color

    def between(self, share: float) -> Color:
        """A colour `share` (0 to 1) of the way from the band to the tint, for shapes that should sit back."""
        return linearlyInterpolatedColor(self.band, self.tint, 0, 1, share)


def _scene() -> Drawing:
    return Drawing(SCENE_WIDTH, SCENE_HEIGHT)


def _sea(drawing: Drawing, palette: Palette, level: float) -> None:
    """Three lines of waves along the foot of the whole band: they begin left of the scene, at the page's edge."""
    step, first = 25.0, -14
    for row in range(3):
        top = level - 11 * row
        path = Path(fillColor=palette.between(0.14 + 0.1 * row), strokeColor=None)
        path.moveTo(first * step, 0)
        path.lineTo(first * step, top)
        for i in range(first, 10):
            lift = 6 if (i + row) % 2 else -4
            path.curveTo(i * step + step / 3, top + lift, i * step + 2 * step / 3, top + lift, (i + 1) * step, top)
        path.lineTo(SCENE_WIDTH, 0)
        path.closePath()
        drawing.add(path)


def lighthouse(palette: Palette) -> Drawing:
    """A striped lighthouse on a rock, its beam over the sea."""
    drawing = _scene()
    drawing.add(Polygon([170, 118, 0, 154, 0, 100], fillColor=palette.between(0.1), strokeColor=None))
    drawing.add(Polygon([118, 22, 148, 50, 208, 50, 244, 22], fillColor=palette.between(0.32), strokeColor=None))
    for i in range(5):
        low, high = 17 - 1.6 * i, 17 - 1.6 * (i + 1)
        y = 50 + 12 * i
        colour = palette.tint if i % 2 == 0 else palette.accent
        corners = [178 - low, y, 178 + low, y, 178 + high, y + 12, 178 - high, y + 12]
        drawing.add(Polygon(corners, fillColor=colour, strokeColor=None))
    drawing.add(Rect(165, 110, 26, 3, fillColor=palette.tint, strokeColor=None))
    drawing.add(Rect(171, 113, 14, 12, fillColor=palette.accent, strokeColor=None))
    drawing.add(Polygon([168, 125, 188, 125, 178, 136], fillColor=palette.tint, strokeColor=None))
    _sea(drawing, palette, 29)
    return drawing


def sailboats(palette: Palette) -> Drawing:
    """Two boats under sail and a low sun."""
    drawing = _scene()
    drawing.add(Circle(196, 92, 26, fillColor=palette.accent, strokeColor=None))
    for x, size in ((70, 1.0), (150, 0.62)):
        y = 29 + 8 * (1 - size)
        mast = y + 92 * size
        drawing.add(Polygon([x, mast, x, y + 12, x - 34 * size, y + 12], fillColor=palette.tint, strokeColor=None))
        drawing.add(
            Polygon(
                [x + 3, mast - 10 * size, x + 3, y + 12, x + 28 * size, y + 12],
                fillColor=palette.between(0.6),
                strokeColor=None,
            )
        )
        hull = [x - 38 * size, y + 8, x + 36 * size, y + 8, x + 24 * size, y - 8, x - 28 * size, y - 8]
        drawing.add(Polygon(hull, fillColor=palette.accent, strokeColor=None))
    _sea(drawing, palette, 29)
    return drawing


def fish(palette: Palette) -> Drawing:
    """A fish on a plate, between fork and knife."""
    drawing = _scene()
    drawing.add(Circle(135, 78, 62, fillColor=palette.tint, strokeColor=None))
    drawing.add(Circle(135, 78, 47, fillColor=white, strokeColor=palette.between(0.75), strokeWidth=1))
    drawing.add(Polygon([160, 78, 184, 96, 178, 78, 184, 60], fillColor=palette.accent, strokeColor=None))
    drawing.add(Ellipse(128, 78, 37, 19, fillColor=palette.accent, strokeColor=None))
    drawing.add(Circle(105, 82, 3.2, fillColor=white, strokeColor=None))
    for x in (122, 134, 146):
        drawing.add(Line(x, 69, x + 6, 78, strokeColor=white, strokeWidth=1.3))
        drawing.add(Line(x + 6, 78, x, 87, strokeColor=white, strokeWidth=1.3))
    for x in (38, 44, 50):
        drawing.add(Rect(x, 100, 2.6, 28, fillColor=palette.tint, strokeColor=None))
    drawing.add(Rect(38, 94, 14.6, 8, 3, 3, fillColor=palette.tint, strokeColor=None))
    drawing.add(Rect(43.4, 28, 4, 70, 2, 2, fillColor=palette.tint, strokeColor=None))
    drawing.add(Rect(222, 28, 4, 56, 2, 2, fillColor=palette.tint, strokeColor=None))
    drawing.add(Polygon([222, 82, 226, 82, 232, 104, 226, 130, 222, 130], fillColor=palette.tint, strokeColor=None))
    return drawing


def pebbles(palette: Palette) -> Drawing:
    """Stacked stones on still water, with rings around them."""
    drawing = _scene()
    for i in range(4):
        drawing.add(
            Ellipse(140, 30, 108 - 22 * i, 17 - 3.4 * i, fillColor=None, strokeColor=palette.between(0.5 - 0.1 * i))
        )
    for y, across, tall, share in ((38, 46, 13, 0.45), (61, 36, 11, 0.62), (80, 27, 9, 0.78), (95, 17, 7, 0.92)):
        drawing.add(Ellipse(140, y, across, tall, fillColor=palette.between(share), strokeColor=None))
    for angle in (-50, -25, 0, 25, 50):
        tip = math.radians(90 + angle)
        left, top = 140 + 30 * math.cos(tip), 104 + 30 * math.sin(tip)
        path = Path(fillColor=palette.accent, strokeColor=None)
        path.moveTo(140, 103)
        path.curveTo(140 - 9 + angle * -0.1, 116, left - 5, top - 8, left, top)
        path.curveTo(left + 5, top - 8, 140 + 9 + angle * -0.1, 116, 140, 103)
        path.closePath()
        drawing.add(path)
    return drawing


def terrace(palette: Palette) -> Drawing:
    """A row of gabled houses behind a quay wall."""
    drawing = _scene()
    shares = (0.55, 0.8, 0.4, 0.95, 0.65)
    for i, share in enumerate(shares):
        x, top = 12 + 48 * i, 86 + (14 if i % 2 else 0)
        drawing.add(Rect(x, 30, 46, top - 30, fillColor=palette.between(share), strokeColor=None))
        drawing.add(Polygon([x - 3, top, x + 23, top + 27, x + 49, top], fillColor=palette.accent, strokeColor=None))
        drawing.add(Rect(x + 33, top + 8, 7, 22, fillColor=palette.accent, strokeColor=None))
        for left in (x + 7, x + 27):
            drawing.add(Rect(left, top - 22, 12, 15, fillColor=palette.band, strokeColor=None))
        drawing.add(Rect(x + 27, 45, 12, 15, fillColor=palette.band, strokeColor=None))
        drawing.add(Rect(x + 7, 30, 12, 26, fillColor=palette.band, strokeColor=None))
    drawing.add(Rect(-350, 10, SCENE_WIDTH + 350, 20, fillColor=palette.between(0.25), strokeColor=None))
    return drawing


def key(palette: Palette) -> Drawing:
    """A door key on a ring with a paper tag."""
    drawing = _scene()
    drawing.add(Circle(78, 92, 30, fillColor=None, strokeColor=palette.accent, strokeWidth=11))
    drawing.add(Rect(108, 86.5, 104, 11, fillColor=palette.accent, strokeColor=None))
    for x, drop in ((172, 20), (190, 28)):
        drawing.add(Rect(x, 88 - drop, 10, drop, fillColor=palette.accent, strokeColor=None))
    drawing.add(Circle(56, 62, 22, fillColor=None, strokeColor=palette.tint, strokeWidth=2.5))
    drawing.add(Polygon([34, 56, 66, 40, 52, 6, 14, 22], fillColor=palette.tint, strokeColor=None))
    drawing.add(Circle(49, 44, 3.5, fillColor=palette.band, strokeColor=None))
    for i in range(3):
        drawing.add(Line(27, 27 + 5 * i, 47, 19 + 5 * i, strokeColor=palette.between(0.4), strokeWidth=1))
    return drawing


def birches(palette: Palette) -> Drawing:
    """Three birch trees by the water."""
    drawing = _scene()
    for x, height, share in ((60, 104, 0.4), (122, 124, 0.6), (190, 96, 0.5)):
        drawing.add(Ellipse(x, height, 34, 36, fillColor=palette.accent, strokeColor=None))
        drawing.add(Ellipse(x + 9, height - 18, 30, 27, fillColor=palette.between(share), strokeColor=None))
        drawing.add(Rect(x - 3, 24, 7, height - 20, fillColor=palette.tint, strokeColor=None))
        for i, y in enumerate(range(32, int(height) - 8, 11)):
            drawing.add(Line(x - 3 + 3 * (i % 2), y, x + 1 + 3 * (i % 2), y, strokeColor=palette.band, strokeWidth=1.6))
    _sea(drawing, palette, 26)
    return drawing


def _label(text: str, x: float, y: float, palette: Palette, size: float = 8, bold: bool = False) -> String:
    font = "Helvetica-Bold" if bold else "Helvetica"
    return String(x, y, text, fontName=font, fontSize=size, fillColor=palette.ink, textAnchor="middle")


def harbour_map(palette: Palette, width: float) -> Drawing:
    """How the hotel lies between the station, the car park and the harbour."""
    drawing = Drawing(width, 172)
    drawing.add(Rect(0, 4, width, 160, 6, 6, fillColor=palette.tint, strokeColor=None))
    sea = Path(fillColor=palette.between(0.55), strokeColor=None)
    sea.moveTo(0, 4)
    sea.lineTo(0, 50)
    sea.curveTo(width * 0.3, 66, width * 0.5, 20, width * 0.64, 58)
    sea.curveTo(width * 0.75, 80, width * 0.88, 40, width, 52)
    sea.lineTo(width, 4)
    sea.closePath()
    drawing.add(sea)
    for points in (
        (0, 140, width * 0.34, 124, width * 0.55, 84, width, 96),
        (width * 0.55, 84, width * 0.6, 164),
        (width * 0.34, 124, width * 0.3, 164),
    ):
        for i in range(0, len(points) - 2, 2):
            drawing.add(Line(*points[i : i + 4], strokeColor=white, strokeWidth=6))
    for x, y, text in (
        (width * 0.16, 114, "Fish Market car park"),
        (width * 0.43, 150, "B3417 from the ring road"),
        (width * 0.75, 118, "Saltmere station"),
        (width * 0.86, 76, "Lifeboat slip"),
        (width * 0.2, 24, "Inner harbour"),
    ):
        drawing.add(_label(text, x, y, palette))
    drawing.add(Circle(width * 0.75, 106, 4.5, fillColor=palette.band, strokeColor=white))
    drawing.add(Rect(width * 0.16 - 5, 100, 10, 10, fillColor=palette.band, strokeColor=white))
    drawing.add(Circle(width * 0.52, 78, 7, fillColor=palette.accent, strokeColor=white, strokeWidth=1.5))
    drawing.add(_label("Harbour House", width * 0.52, 62, palette, 9, bold=True))
    return drawing


def room_layouts(palette: Palette, width: float) -> Drawing:
    """The four ways a meeting room can be set: theatre, classroom, boardroom, banquet."""
    drawing = Drawing(width, 96)
    box = width / 4
    for i, name in enumerate(("Theatre", "Classroom", "Boardroom", "Banquet")):
        x = i * box + 8
        drawing.add(Rect(x, 20, box - 16, 70, 4, 4, fillColor=palette.tint, strokeColor=None))
        drawing.add(_label(name, x + (box - 16) / 2, 8, palette, 8.5, bold=True))
        middle = x + (box - 16) / 2
        if name != "Banquet" and name != "Boardroom":
            drawing.add(Rect(middle - 18, 82, 36, 3, fillColor=palette.band, strokeColor=None))
        if name == "Theatre":
            for row in range(4):
                for seat in range(7):
                    drawing.add(
                        Circle(middle - 36 + 12 * seat, 70 - 13 * row, 3, fillColor=palette.accent, strokeColor=None)
                    )
        elif name == "Classroom":
            for row in range(3):
                for side in (-38, 6):
                    drawing.add(Rect(middle + side, 66 - 17 * row, 32, 5, fillColor=palette.band, strokeColor=None))
                    for seat in (5, 16, 27):
                        drawing.add(
                            Circle(middle + side + seat, 61 - 17 * row, 2.6, fillColor=palette.accent, strokeColor=None)
                        )
        elif name == "Boardroom":
            drawing.add(Rect(middle - 30, 46, 60, 18, 4, 4, fillColor=palette.band, strokeColor=None))
            for seat in range(5):
                for y in (40, 70):
                    drawing.add(Circle(middle - 24 + 12 * seat, y, 3, fillColor=palette.accent, strokeColor=None))
        else:
            for cx, cy in ((-26, 70), (26, 70), (0, 54), (-26, 38), (26, 38)):
                drawing.add(Circle(middle + cx, cy, 7, fillColor=palette.band, strokeColor=None))
                for seat in range(8):
                    angle = math.pi / 4 * seat
                    drawing.add(
                        Circle(
                            middle + cx + 10.5 * math.cos(angle),
                            cy + 10.5 * math.sin(angle),
                            1.9,
                            fillColor=palette.accent,
                            strokeColor=None,
                        )
                    )
    return drawing


def floor_plan(palette: Palette, width: float) -> Drawing:
    """The ground and first floors of one of the houses for sale."""
    drawing = Drawing(width, 138)
    half = width / 2 - 10
    ground = (("Sitting room", 0.0, 0.0, 0.42, 1.0), ("Hall", 0.42, 0.0, 0.16, 1.0), ("Kitchen", 0.58, 0.0, 0.42, 1.0))
    first = (
        ("Bedroom 1", 0.0, 0.0, 0.42, 1.0),
        ("Bathroom", 0.42, 0.0, 0.22, 0.55),
        ("Landing", 0.42, 0.55, 0.22, 0.45),
        ("Bedroom 2", 0.64, 0.0, 0.36, 1.0),
    )
    floors: tuple[tuple[str, float, tuple[tuple[str, float, float, float, float], ...]], ...] = (
        ("Ground floor", 0.0, ground),
        ("First floor", width / 2 + 10, first),
    )
    for title, left, rooms in floors:
        drawing.add(_label(title, left + half / 2, 4, palette, 8.5, bold=True))
        for name, x, y, across, up in rooms:
            corner = (left + half * x, 18 + 112 * y)
            drawing.add(
                Rect(*corner, half * across, 112 * up, fillColor=palette.tint, strokeColor=palette.band, strokeWidth=2)
            )
            drawing.add(_label(name, corner[0] + half * across / 2, corner[1] + 56 * up - 3, palette, 7.5))
    return drawing


SCENES: dict[str, Callable[[Palette], Drawing]] = {
    "lighthouse": lighthouse,
    "sailboats": sailboats,
    "fish": fish,
    "pebbles": pebbles,
    "terrace": terrace,
    "key": key,
    "birches": birches,
}
INLINE: dict[str, Callable[[Palette, float], Drawing]] = {
    "harbour-map": harbour_map,
    "room-layouts": room_layouts,
    "floor-plan": floor_plan,
}
