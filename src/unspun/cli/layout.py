"""Paragraphs, tables and dot-and-whisker charts as lines of styled text, each at most as wide as it was given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from unspun.cli.terminal import NO_BREAK_SPACE, clean, pad, wrap
from unspun.stats.estimate import Estimate

SCORE, SECOND, BASE, CHURN, RENEW, CAUTION = "blue", "magenta", "dim", "red", "cyan", "yellow"
QUIET = "dim"  # some themes draw bright black on black
INDENT = 2
NARROWEST_COLUMN = 8


@dataclass(frozen=True, slots=True)
class Column:
    """A table's column. Where the table is too wide, a `spare` one is left out, and then the words of a `flexible` one are cut."""

    title: str
    right: bool = False
    flexible: bool = False
    spare: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """The common scale of a column of charts; `reference` is the value to beat, drawn as an upright line."""

    low: float
    high: float
    width: int
    reference: float | None = None

    def cell(self, value: float) -> int:
        share = (value - self.low) / (self.high - self.low)
        return min(max(round(share * (self.width - 1)), 0), self.width - 1)

    def axis(self, ticks: Sequence[float], show: str) -> str:
        """The ticks' labels, each centred over its cell as far as the edges and its neighbours allow."""
        letters = [" "] * self.width
        for tick in ticks:
            label = format(tick, show).replace("%", f"{NO_BREAK_SPACE}%")
            start = min(max(self.cell(tick) - len(label) // 2, 0), self.width - len(label))
            if all(letter == " " for letter in letters[max(start - 1, 0) : start + len(label) + 1]):
                letters[start : start + len(label)] = label
        return "".join(letters)


def heading(text: str, width: int) -> list[Text]:
    """A blank line, then the claim in bold."""
    return [Text(), *(Text(line, style="bold") for line in wrap(text, width))]


def paragraph(text: str, width: int, style: str = "", indent: int = INDENT, first: str = "") -> list[Text]:
    """Wrapped and indented; `first` stands in the indent of the first line. Nothing where there is no text."""
    lines = wrap(text, width - indent) if text else []
    return [Text((pad(first, indent) if number == 0 else " " * indent) + line, style=style) for number, line in enumerate(lines)]


def table(columns: Sequence[Column], rows: Sequence[Sequence[str | Text]], width: int) -> list[Text]:
    """A head in quiet type and one line a row; columns are two cells apart."""
    cells = [[Text(column.title, style=QUIET) for column in columns], *([_as_text(cell) for cell in row] for row in rows)]
    widths = [max(row[at].cell_len for row in cells) for at in range(len(columns))]
    kept = list(range(len(columns)))
    for at, column in enumerate(columns):
        if column.spare and _excess([widths[k] for k in kept], width) > 0:
            kept.remove(at)
    for at in kept:
        if columns[at].flexible:
            excess = _excess([widths[k] for k in kept], width)
            widths[at] = max(widths[at] - max(excess, 0), min(widths[at], NARROWEST_COLUMN))
    return [_row([row[at] for at in kept], [columns[at] for at in kept], [widths[at] for at in kept]) for row in cells]


def _as_text(cell: str | Text) -> Text:
    return cell if isinstance(cell, Text) else Text(clean(cell))


def _excess(widths: Sequence[int], width: int) -> int:
    return INDENT + sum(widths) + 2 * (len(widths) - 1) - width


def whisker(value: Estimate, scale: Scale, style: str = SCORE) -> Text:
    """The interval as a line with its point: filled where the whole interval is on one side of the reference."""
    letters = _ground(scale)
    low, point, high = scale.cell(value.low), scale.cell(value.point), scale.cell(value.high)
    for at in range(low, high + 1):
        letters[at] = "┼" if letters[at] == "│" else "─"
    letters[point] = "○" if _undecided(value, scale.reference) else "●"
    text = Text("".join(letters), style=QUIET)
    text.stylize(style, low, high + 1)
    return text


def bar(value: Estimate, scale: Scale, style: str) -> Text:
    """A heavy line from zero to the point, and the interval about its end."""
    letters = [" "] * scale.width
    low, point, high = scale.cell(value.low), scale.cell(value.point), scale.cell(value.high)
    letters[:point] = "━" * point
    letters[low : high + 1] = ["─" if at > point else "━" for at in range(low, high + 1)]
    letters[low] = "┝" if low < point else letters[low]
    letters[high] = "┤" if high > point else letters[high]
    letters[point] = "●"
    return Text("".join(letters), style=style)


def no_chart(scale: Scale) -> Text:
    """Where there is no estimate: the ground alone, dotted at the reference, so that nothing looks like a value."""
    return Text("".join(_ground(scale)), style=QUIET)


def _ground(scale: Scale) -> list[str]:
    letters = [" "] * scale.width
    if scale.reference is not None:
        letters[scale.cell(scale.reference)] = "│"
    return letters


def _undecided(value: Estimate, reference: float | None) -> bool:
    return reference is not None and value.low <= reference <= value.high


def _row(cells: Sequence[Text], columns: Sequence[Column], widths: Sequence[int]) -> Text:
    line = Text(" " * INDENT)
    for at, (cell, column) in enumerate(zip(cells, columns, strict=True)):
        line.append_text(_fitted(cell, widths[at], column.right))
        line.append("  " if at < len(columns) - 1 else "")
    return line


def _fitted(cell: Text, width: int, right: bool) -> Text:
    if cell.cell_len > width:
        return Text(pad(cell.plain, width), style=cell.style)
    blank = " " * (width - cell.cell_len)
    return Text(blank).append_text(cell) if right else cell.copy().append(blank)
