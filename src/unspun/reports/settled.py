"""Charts settled for paper: per cents become points of a fixed width, classes become plain attributes, nothing is left to a stylesheet.

The renderer of the PDF reads no page styles inside SVG and keeps no stroke from stretching; what it is given here needs neither.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from xml.etree import ElementTree

OUTERMOST = re.compile(r"<svg\b(?:(?!<svg\b|</svg>).|<svg\b(?:(?!<svg\b|</svg>).)*</svg>)*</svg>", re.S)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
CHART_WIDTH = 490.0  # of the text column on A4, in CSS pixels
CELL_WIDTHS = {"spark": 76.0, "mini": 76.0}
TABLE = re.compile(r'(<table class="[^"]*\b(?:bands|rivals|listing|compare)\b.*?</table>)', re.S)
TABLE_WIDTHS = {"bands": 96.0, "rivals": 110.0, "listing": 70.0, "compare": 110.0}  # of the whiskers in them, as paper.css has it
PLOT_WIDTH = 190.0
SERIES = ("score", "second", "base", "churn", "renew", "cau")
TOKENS = {"cau": "caution"}
HORIZONTAL = ("x", "x1", "x2", "cx", "width")


@dataclass(frozen=True, slots=True)
class Ink:
    """The light theme's colours, as hex."""

    series: dict[str, str]
    text: str
    grid: str
    axis: str
    ground: str
    sunk: str
    hatch: str


@cache
def ink() -> Ink:
    """Read from the tokens, whose first block is the light theme."""
    tokens = (files("unspun.reports") / "assets" / "tokens.css").read_text("utf-8")
    value = dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{3,6})", tokens.split("/* Dark:")[0]))
    series = {name: value[f"c-{TOKENS.get(name, name)}"] for name in SERIES}
    return Ink(series, value["ink-3"], value["grid"], value["rule-strong"], "#ffffff", "#f6f6f4", value["hatch"])


def settle(html: str) -> str:
    """The page with each of its SVGs settled."""
    return "".join(_settle_part(part) for part in TABLE.split(html))


def _settle_part(html: str) -> str:
    """A table of narrow whiskers, or what stands between two."""
    named = TABLE.match(html) and html[: html.index(">")]
    width = next((w for name, w in TABLE_WIDTHS.items() if named and name in named), PLOT_WIDTH)
    return OUTERMOST.sub(lambda found: _settled(found.group(), width), html)


def _settled(svg: str, plot_width: float) -> str:
    root = ElementTree.fromstring(svg.replace("&nbsp;", "\u00a0"))
    if root.get("viewBox"):  # an icon: it keeps its size
        _paint(root, _colour(root, ink().text))
        return _written(root)
    width = CHART_WIDTH if "c" in _classes(root) else next((w for name, w in CELL_WIDTHS.items() if name in _classes(root)), plot_width)
    height = float(root.get("height", "20"))
    colour = _colour(root, ink().text)
    _lay(root, width)
    root.set("viewBox", f"0 0 {width:g} {height:g}")
    root.set("width", f"{width:g}")
    _paint(root, colour)
    return _written(root)


def _written(root: ElementTree.Element) -> str:
    """With a title, which the renderer makes the alternative text of the tagged figure."""
    title = ElementTree.Element("title")
    title.text = root.get("aria-label") or ("Mark" if root.get("viewBox", "").count(" 14 14") else "The interval of the number beside it")
    root.insert(0, title)
    return ElementTree.tostring(root, encoding="unicode")


def _classes(element: ElementTree.Element) -> list[str]:
    return (element.get("class") or "").split()


def _lay(parent: ElementTree.Element, width: float) -> None:
    """Per cents of the width become pixels; nested drawings become groups."""
    for child in list(parent):
        for name in HORIZONTAL:
            if (child.get(name) or "").endswith("%"):
                child.set(name, f"{float(child.attrib[name][:-1]) * width / 100:.2f}")
        if child.tag == "svg":
            _flatten(child, width)
        else:
            _lay(child, width)


def _flatten(drawing: ElementTree.Element, width: float) -> None:
    """A stretched drawing (0 to 100 across) or a mark set at a place, as a group."""
    if drawing.get("preserveAspectRatio") == "none":
        for path in drawing.iter("path"):
            path.set("d", _stretch(path.attrib["d"], width / 100))
    else:
        drawing.set("transform", f"translate({drawing.get('x', '0')} {drawing.get('y', '0')})")
    drawing.tag = "g"
    for name in ("x", "y", "width", "height", "viewBox", "preserveAspectRatio"):
        drawing.attrib.pop(name, None)


def _stretch(d: str, factor: float) -> str:
    """Every first number of a pair, times the factor; the paths hold absolute pairs only."""
    numbers = iter(range(10**9))
    return NUMBER.sub(lambda found: f"{float(found.group()) * factor:.2f}" if next(numbers) % 2 == 0 else found.group(), d)


def _colour(element: ElementTree.Element, inherited: str) -> str:
    return next((ink().series[name] for name in _classes(element) if name in ink().series), inherited)


def _paint(element: ElementTree.Element, colour: str) -> None:
    """Attributes in the place of classes, as report.css says them."""
    colours, classes = ink(), _classes(element)
    own = _colour(element, colour)
    if element.tag == "text":
        element.set("fill", own if "k" in classes else colours.text)
        element.set("font-family", "Inter")
        element.set("font-size", "11" if "l" in classes else "10.5")
        if "l" in classes:
            element.set("font-weight", "600")
    elif element.tag in ("path", "line", "circle", "rect"):
        _stroke_and_fill(element, classes, own)
    for name, value in list(element.attrib.items()):
        if value == "currentColor":
            element.set(name, own)
    for child in element:
        _paint(child, own)
    element.attrib.pop("class", None)


def _stroke_and_fill(element: ElementTree.Element, classes: list[str], colour: str) -> None:
    colours = ink()
    if element.tag in ("path", "line"):
        element.attrib.setdefault("fill", "none")
    if "f" in classes:
        element.set("fill", colour)
    elif "o" in classes:
        element.set("fill", colours.ground)
        _stroke(element, colour, "1.5")
    elif "b" in classes:
        element.set("fill", colour)
        element.set("fill-opacity", "0.16")
    elif "s" in classes:
        _stroke(element, colour, "0.9" if "edge" in classes else "1.4" if "thin" in classes else "1.8")
        if "edge" in classes:
            element.set("stroke-opacity", "0.55")
    elif "w" in classes:
        _stroke(element, colour, "1.5")
    elif "g" in classes or "ax" in classes:
        _stroke(element, colours.grid if "g" in classes else colours.axis, "1")
    elif "sunk" in classes or "hatch" in classes:
        element.set("fill", colours.sunk if "sunk" in classes else colours.hatch)


def _stroke(element: ElementTree.Element, colour: str, width: str) -> None:
    element.set("stroke", colour)
    element.attrib.setdefault("stroke-width", width)
