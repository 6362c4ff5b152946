"""Retention as one self-contained page: the argument first, every figure with its address, the proof at the end."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from unspun.book.checks.remarks import check_headline, check_remarks
from unspun.book.retention.question import CURRENCY
from unspun.book.retention.result import MOVEMENTS, Part, Rate, RetentionResult, Waterfall
from unspun.reports import marks, retention_charts, retention_claims
from unspun.reports.audit_html import environment, page_policy, page_style, read_asset, with_roles
from unspun.reports.marks import Scale
from unspun.reports.retention_claims import rate_at, totals
from unspun.stats.estimate import Estimate

SHOWN_MONTHS = 12  # of a table; the earlier ones open on demand
MOST_PARTS = 30  # of a grouping in one table
MOST_FIGURES = 10_000  # in the page, for download; a page with more takes those of the whole and of the last month


@dataclass(frozen=True, slots=True)
class Proof:
    """What backs the page: the ledger entry and its anchor (number and hash), the book, the engine, the definition, the queries."""

    entry: int
    anchor: str
    book_version: int
    book_digest: str
    engine: str
    package_version: str
    definition_name: str
    definition_text: str
    definition_sha256: str
    queries: dict[str, str]
    company: str
    book_check: Mapping[str, Any] | None = None
    remarks: tuple[str, ...] = ()  # on the rows themselves, such as those read in place


@dataclass(frozen=True, slots=True)
class Grouping:
    """One way of splitting the book: the latest rates of its parts."""

    by: str
    month: str
    rates: list[tuple[Rate, Rate | None, Rate | None]]  # GRR, NRR, logos
    scale: Scale


def render_retention(result: RetentionResult, proof: Proof, figures_csv: str, beside: RetentionResult | None = None) -> str:
    """The whole page as HTML text, to be written in UTF-8. `figures_csv` is put into it for download."""
    style, script = page_style(), read_asset("theme.js")
    context = {
        "result": result,
        "proof": proof,
        "parts": totals(result),
        "groupings": groupings_of(result),
        "before": beside,
        "beside": None if beside is None else beside_of(result, beside),
        "csv": base64.b64encode(figures_csv.encode()).decode("ascii"),
        "rate_at": rate_at,
        "check_remarks": (*proof.remarks, *check_remarks(proof.book_check, proof.book_version)),
        "check_headline": check_headline(proof.book_check),
        "quoted": shlex.quote,
        "rc": retention_claims,
        "rcharts": retention_charts,
        "MOVEMENTS": MOVEMENTS,
        "SHOWN_MONTHS": SHOWN_MONTHS,
        "MOST_PARTS": MOST_PARTS,
        "falls_of": falls_of,
        "rates_of": rates_of,
        "named": frozenset(result.figures()),
        "all_there": len(result.figures()) <= MOST_FIGURES,
        "style": Markup(style),
        "script": Markup(script),
        "policy": page_policy(style, script),
        "paper": False,
    }
    return with_roles(environment().get_template("retention.html.j2").render(context).rstrip() + "\n")


def figures_to_take(result: RetentionResult, figures: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The figures that go into the page: all, or where they are many those of the whole book, and of its parts those of the last month."""
    if len(figures) <= MOST_FIGURES:
        return list(figures)
    last = result.months[-1]
    return [one for one in figures if _is_whole(one["name"]) or one["name"].split("/")[1] == last]


def _is_whole(name: str) -> bool:
    return all(part.startswith(f"{CURRENCY}=") for part in name.split("/")[2:])


def falls_of(result: RetentionResult, part: Part) -> list[Waterfall]:
    return [fall for fall in result.waterfalls if fall.part == part]


def rates_of(result: RetentionResult, part: Part) -> list[Rate]:
    """The rates of a part that had customers at the opening, in the order of months; logo retention is of all currencies."""
    own = [r for r in result.rates if (r.part.by, r.part.value) == (part.by, part.value) and r.part.currency in (part.currency, "")]
    return [rate for rate in own if rate.base]


def groupings_of(result: RetentionResult) -> list[Grouping]:
    """The latest complete window of every grouping, the parts with most opening ARR first."""
    made = []
    for by in result.question.by:
        gross = [rate for rate in result.rates if rate.part.by == by and rate.name == "grr"]
        month = max((rate.month for rate in gross), default="")
        last = sorted((rate for rate in gross if rate.month == month), key=lambda rate: (-rate.base, rate.part.value))
        rows = [(one, rate_at(result, "nrr", one.part, month), rate_at(result, "logo", one.part, month)) for one in last]
        made.append(Grouping(by, month, rows, _scale(last)))
    return made


def _scale(rates: list[Rate]) -> Scale:
    known = [rate.estimate for rate in rates if isinstance(rate.estimate, Estimate)]
    around = marks.scale_over((end for value in known for end in (value.low, value.high)), around=1.0, step=0.05, margin=0.02)
    return Scale(max(0.0, around.low), around.high, 3, 97)


def beside_of(result: RetentionResult, other: RetentionResult) -> list[tuple[str, Part, list[tuple[Rate | None, Rate | None]]]]:
    """GRR and NRR of the whole under both definitions, by month and currency, where either has one."""
    rows = []
    for part in totals(result):
        for month in result.months:
            pairs = [(rate_at(result, name, part, month), rate_at(other, name, part, month)) for name in ("grr", "nrr")]
            if any(one is not None or two is not None for one, two in pairs):
                rows.append((month, part, pairs))
    return rows
