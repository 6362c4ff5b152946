"""A forecast as a folder: one page, its styles and script, and the numbers as CSV. Nothing is asked of any network."""

from __future__ import annotations

import csv
import hashlib
import io
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from unspun.reports import forecast_charts, forecast_claims, forecast_words, marks
from unspun.reports.audit_html import environment, page_style, read_asset, with_roles
from unspun.reports.forecast_claims import currencies_of, fan_of, money_of
from unspun.reports.forecast_rows import groups_csv, renewals_csv
from unspun.reports.marks import Scale
from unspun.reports.proof import Proof
from unspun.reports.within import FILE, Within
from unspun.risk.forecast.result import Forecast, GroupForecast, MaybePredicted, Predicted

STYLE, SCRIPT = "assets/forecast.css", "assets/forecast.js"
# `file:` lets the page load what lies beside it from a disk, where browsers do not count it as their own origin.
OWN = "style-src 'self' file:; script-src 'self' file:; font-src data:; img-src data:"
POLICY = f"default-src 'none'; {OWN}; base-uri 'none'; form-action 'none'"
MOST_GROUPS = 12  # segments or owners shown at once; the rest open on demand
MOST_LISTED = 10  # renewals


@dataclass(frozen=True, slots=True)
class RowFile:
    """A CSV in the folder: its name, what it holds, its data rows and its SHA-256."""

    name: str
    what: str
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class MonthRow:
    """A line of the table of months: a month, or the quarter that the months above it make up."""

    group: GroupForecast
    is_quarter: bool


def render_forecast(result: Forecast, proof: Proof, within: Within = FILE) -> Iterator[tuple[str, bytes]]:
    """The files of the folder, each as its path and its bytes; the same forecast gives the same bytes."""
    files = {"forecast.csv": (groups_csv(result, proof.entry), "every number of this page, by group and currency")}
    if within.accounts:
        files = {"renewals.csv": (renewals_csv(result), "every renewal of a running term, with its probabilities"), **files}
    yield from page_assets(within)
    context = {
        **shared_context(proof, [row_file(name, text, said) for name, (text, said) in files.items()], within),
        "result": result,
        "currencies": currencies_of(result),
        "fans": [fan for one in currencies_of(result) if (fan := fan_of(result, one)) is not None],
        "month_rows": month_rows(result),
        "fcharts": forecast_charts,
        "fc": forecast_claims,
        "rate_scale": rate_scale,
        **{name: globals()[name] for name in ("MOST_GROUPS", "MOST_LISTED")},
    }
    yield "index.html", filled("forecast.html.j2", context)
    yield from ((name, text.encode()) for name, (text, _) in files.items())


def page_assets(within: Within) -> Iterator[tuple[str, bytes]]:
    """Styles and script of a folder; the console has its own."""
    if not within.shell:
        yield STYLE, (page_style() + read_asset("forecast.css")).encode()
        yield SCRIPT, read_asset("theme.js").encode()


def shared_context(proof: Proof, files: Sequence[RowFile], within: Within) -> dict[str, Any]:
    """What both the forecast's and the record's pages are filled with."""
    beside = {"within": within, "proof_part": "forecast_proof.html.j2"}
    return {**beside, "proof": proof, "files": files, "fw": forecast_words, "quoted": shlex.quote, "policy": POLICY, "paper": False}


def row_file(name: str, text: str, what: str) -> RowFile:
    rows = sum(1 for _ in csv.reader(io.StringIO(text))) - 1  # a cell may hold a line's end
    return RowFile(name, what, rows, hashlib.sha256(text.encode()).hexdigest())


def filled(template: str, context: Mapping[str, Any]) -> bytes:
    """A template as a page, in UTF-8."""
    return (with_roles(environment().get_template(template).render(context).rstrip()) + "\n").encode()


def month_rows(result: Forecast) -> list[MonthRow]:
    """The months, and after those of a quarter the quarter itself."""
    quarters = {one.name: one for one in result.by_quarter}
    rows: list[MonthRow] = []
    for name, months in groupby(result.by_month, lambda one: quarter_of(one.name)):
        rows += [MonthRow(one, False) for one in months]
        if name in quarters:
            rows.append(MonthRow(quarters[name], True))
    return rows


def quarter_of(month: str) -> str:
    """2025-12 as 2025-Q4."""
    return f"{month[:4]}-Q{(int(month[5:7]) + 2) // 3}"


def rate_scale(groups: Sequence[GroupForecast], currency: str) -> Scale:
    """One scale for the expected GRR of a table, up to all kept."""
    rates: list[MaybePredicted] = [money.grr for one in groups if (money := money_of(one, currency)) is not None]
    ends = [end for value in rates if isinstance(value, Predicted) for end in (value.low_95, value.high_95)]
    around = marks.scale_over(ends, around=1.0, step=0.05, margin=0.02)
    return Scale(max(0.0, around.low), 1.0, 3, 84)  # the word at the end has room beside it
