"""The findings of the checks as one self-contained page: the verdict, what each finding reaches, then each with its rows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from markupsafe import Markup

from unspun._version import __version__
from unspun.book.checks.finding import SEVERITIES
from unspun.book.checks.report import CheckReport, JudgedFinding
from unspun.reports import check_charts, check_claims
from unspun.reports.audit_html import environment, page_policy, page_style, read_asset, with_roles
from unspun.reports.check_charts import Plot, plot_of
from unspun.reports.check_rows import MOST_BYTES, ExampleCell, FaultyRows, example_cells, faulty_rows, only_file, shown_columns

WHOLE = re.compile(r"(\d{4}-\d{2}-\d{2}|(?<= )--[a-z]+ \S{1,12}$|(?<= )--[a-z]+)")
MOST_SHOWN = 12  # findings shown in full; the others open on demand
MOST_AREAS = 6  # columns of the matrix; what is reached besides them is named in the last one
MOST_MATRIX_ROWS = 20  # of the matrix at once


@dataclass(frozen=True, slots=True)
class FindingPart:
    """A finding and what its part of the page needs beside it.

    `number` counts from 1 over the whole page; `file` is the one that all examples stand in, where they do.
    """

    number: int
    judged: JudgedFinding
    file: str
    columns: tuple[str, ...]
    cells: list[list[ExampleCell]]
    rows: FaultyRows | None
    plot: Plot | None

    @property
    def is_narrowed(self) -> bool:
        """Whether columns of the examples are left out."""
        return len(self.columns) + bool(self.file) < self.judged.examples.num_columns

    @property
    def anchor(self) -> str:
        return f"finding-{self.number}"


@dataclass(frozen=True, slots=True)
class Reach:
    """The matrix: the areas that have a column, whether others are reached besides, and each finding's row."""

    areas: tuple[str, ...]
    others: bool
    rows: list[ReachRow]


@dataclass(frozen=True, slots=True)
class ReachRow:
    """A finding: for each area with a column the figures of it that are named (() all; None: not reached), and the areas besides."""

    part: FindingPart
    hits: list[tuple[str, ...] | None]
    others: list[str]


def render(report: CheckReport, rows: Mapping[str, pa.Table] | None = None) -> str:
    """The whole page as HTML text, to be written in UTF-8.

    `rows` holds all rows of the findings that have few (`check_rows.MOST_ROWS`), by the finding's id: they are put into the page.
    """
    style, script = page_style() + read_asset("check.css"), read_asset("theme.js")
    standing = _parts(report, report.standing(), 1, rows or {})
    accepted = _parts(report, report.accepted(), len(standing) + 1, rows or {})
    context = {
        "report": report,
        "standing": standing,
        "accepted": accepted,
        "reach": reach_of(standing),
        "cc": check_claims,
        "ccharts": check_charts,
        "unbroken": unbroken,
        "SEVERITIES": SEVERITIES,
        "MOST_SHOWN": MOST_SHOWN,
        "MOST_MATRIX_ROWS": MOST_MATRIX_ROWS,
        "package_version": __version__,
        "style": Markup(style),
        "script": Markup(script),
        "policy": page_policy(style, script),
        "paper": False,
    }
    return with_roles(environment().get_template("check.html.j2").render(context).rstrip() + "\n")


def unbroken(text: str) -> Markup:
    """The text, escaped, with dates and options of commands that no line breaks within."""
    return Markup("").join(
        Markup('<span class="nw">{}</span>').format(part) if at % 2 else part for at, part in enumerate(WHOLE.split(text))
    )


def _parts(report: CheckReport, judged: Sequence[JudgedFinding], first: int, rows: Mapping[str, pa.Table]) -> list[FindingPart]:
    parts, room = [], MOST_BYTES
    for number, one in enumerate(judged, first):
        held = faulty_rows(report, number, one, rows)
        fits = held is not None and len(held.zipped) <= room
        room -= len(held.zipped) if held is not None and fits else 0
        shown = shown_columns(one.examples, report.source_names)
        parts.append(
            FindingPart(
                number,
                one,
                only_file(one.examples, report.source_names),
                tuple(shown.column_names),
                example_cells(shown, report.time_zone, report.source_names),
                held if fits else None,
                plot_of(report.series, span) if (span := one.finding.span) else None,
            )
        )
    return parts


def reach_of(parts: Sequence[FindingPart]) -> Reach:
    """Which finding reaches what; the most reached areas have a column each."""
    areas = [name for name, _ in check_claims.reached([part.judged for part in parts])]
    own = areas if len(areas) <= MOST_AREAS + 1 else areas[:MOST_AREAS]
    found = [(part, check_claims.figures_of(part.judged.finding)) for part in parts]
    rows = [ReachRow(part, [of.get(name) for name in own], [name for name in of if name not in own]) for part, of in found]
    return Reach(tuple(own), len(own) < len(areas), rows)
