"""Draw an SVG of panels with lines and logarithmic axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

WIDTH, HEIGHT = 460, 400
LEFT, RIGHT, TOP, BOTTOM = 64, 120, 40, 48
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line: points of positive numbers, the number of a colour, and a name at its end."""

    name: str
    points: Sequence[tuple[float, float]]
    colour: int
    dashed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One pair of axes and its lines."""

    title: str
    x: str
    y: str
    lines: Sequence[Line]


def svg(panels: Sequence[Panel]) -> bytes:
    """Return an image with the panels side by side that is readable on light and dark pages."""
    width = WIDTH * len(panels)
    size = {"width": str(width), "height": str(HEIGHT), "viewBox": f"0 0 {width} {HEIGHT}"}
    style = {"font-family": "system-ui, sans-serif", "font-size": "12"}
    root = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **size, **style})
    ET.SubElement(root, "rect", {"width": "100%", "height": "100%", "fill": "#ffffff"})
    for number, panel in enumerate(panels):
        group = ET.SubElement(root, "g", {"transform": f"translate({number * WIDTH} 0)"})
        _draw(group, panel)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode").encode() + b"\n"


class _Scale:
    """Map values to pixels by their logarithm; the ends are powers of ten."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        self.low = math.floor(math.log10(min(values)) + 1e-9)
        self.high = max(self.low + 1, math.ceil(math.log10(max(values)) - 1e-9))
        self._start = start
        self._step = (end - start) / (self.high - self.low)

    def at(self, value: float) -> float:
        return self._start + (math.log10(value) - self.low) * self._step

    def ticks(self) -> list[float]:
        return [10.0**power for power in range(self.low, self.high + 1)]


def _draw(group: ET.Element, panel: Panel) -> None:
    points = [point for line in panel.lines for point in line.points]
    across = _Scale([point[0] for point in points], LEFT, WIDTH - RIGHT)
    upward = _Scale([point[1] for point in points], HEIGHT - BOTTOM, TOP)
    _text(group, panel.title, (LEFT + WIDTH - RIGHT) / 2, TOP - 16, weight="bold")
    _text(group, panel.x, (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12)
    label = _text(group, panel.y, 0, 0)
    label.set("transform", f"translate(14 {(TOP + HEIGHT - BOTTOM) / 2:.0f}) rotate(-90)")
    for tick in across.ticks():
        _rule(group, (across.at(tick), TOP), (across.at(tick), HEIGHT - BOTTOM))
        _text(group, _short(tick), across.at(tick), HEIGHT - BOTTOM + 16)
    for tick in upward.ticks():
        _rule(group, (LEFT, upward.at(tick)), (WIDTH - RIGHT, upward.at(tick)))
        _text(group, _short(tick), LEFT - 6, upward.at(tick) + 4, anchor="end")
    for line in panel.lines:
        _line(group, line, across, upward)
    _names(group, [line for line in panel.lines if line.name], across, upward)


def _names(group: ET.Element, lines: Sequence[Line], across: _Scale, upward: _Scale) -> None:
    """Write the names of the lines at their ends without overlaps."""
    lowest: dict[float, float] = {}
    ends = [(upward.at(line.points[-1][1]), across.at(line.points[-1][0]), line) for line in lines]
    for y, x, line in sorted(ends, key=lambda end: end[0]):
        lowest[x] = max(y + 4, lowest.get(x, -math.inf) + 13)
        _text(group, line.name, x + 8, lowest[x], anchor="start", fill=COLOURS[line.colour % len(COLOURS)])


def _line(group: ET.Element, line: Line, across: _Scale, upward: _Scale) -> None:
    colour = COLOURS[line.colour % len(COLOURS)]
    places = [(across.at(x), upward.at(y)) for x, y in line.points]
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    shape = {"points": joined, "fill": "none", "stroke": colour, "stroke-width": "2"}
    ET.SubElement(group, "polyline", {**shape, **({"stroke-dasharray": "5 4"} if line.dashed else {})})
    for x, y in places:
        ET.SubElement(group, "circle", {"cx": f"{x:.1f}", "cy": f"{y:.1f}", "r": "3", "fill": colour})


def _rule(group: ET.Element, start: tuple[float, float], end: tuple[float, float]) -> None:
    places = {"x1": f"{start[0]:.1f}", "y1": f"{start[1]:.1f}", "x2": f"{end[0]:.1f}", "y2": f"{end[1]:.1f}"}
    ET.SubElement(group, "line", {**places, "stroke": "#dddddd"})


def _text(group: ET.Element, text: str, x: float, y: float, **style: str) -> ET.Element:
    attributes = {"text-anchor": style.get("anchor", "middle"), "fill": style.get("fill", "#222222")}
    if "weight" in style:
        attributes["font-weight"] = style["weight"]
    element = ET.SubElement(group, "text", {"x": f"{x:.1f}", "y": f"{y:.1f}", **attributes})
    element.text = text
    return element


def _short(value: float) -> str:
    if value >= 1_000_000:
        return f"{value / 1_000_000:g}M"
    return f"{value / 1_000:g}k" if value >= 1_000 else f"{value:g}"
