"""A forecast on a terminal: the headline, what falls due by month and quarter, by segment or owner, what stands behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.text import Text

from unspun.cli.layout import CAUTION, QUIET, Column, Scale, heading, no_chart, paragraph, table, whisker
from unspun.cli.number_text import full_reason
from unspun.cli.terminal import shorten, wrap
from unspun.reports import forecast_claims as fc
from unspun.reports import forecast_words as fw
from unspun.reports import words
from unspun.reports.forecast_html import Proof, month_rows, rate_scale
from unspun.risk.forecast.result import Forecast, GroupForecast, MoneyForecast, Predicted

CHART_WIDTH = 17
LONGEST_NAME = 28
MOST_GROUPS = 15


@dataclass(frozen=True, slots=True)
class Shown:
    """What the terminal shows of a forecast; `by` are the groupings asked for, `model_why` says which model forecast, and why that one."""

    result: Forecast
    proof: Proof
    by: tuple[str, ...]
    model_why: str
    seconds: float
    written: tuple[str, ...]


def forecast_lines(shown: Shown, width: int) -> Iterator[Text]:
    """The whole summary, in lines of at most `width` cells."""
    result, currencies = shown.result, fc.currencies_of(shown.result)
    for place, currency in enumerate(currencies or [""]):
        if place:
            yield Text()
        several = f" ({currency or 'no stated currency'})" if len(currencies) > 1 else ""
        yield from (Text(line, style="bold") for line in wrap(words.sentence(fc.headline(result, currency) + several), width))
        yield from paragraph(words.sentence(told) if (told := fc.intervals(result, currency)) else "", width)
        fan = fc.fan_of(result, currency)
        yield from paragraph(words.sentence(fc.path_text(fan)), width) if fan is not None else ()
    if result.refused is not None:
        yield from paragraph(f"No forecast: {full_reason(result.refused)}", width, CAUTION)
    for currency in currencies or [""]:
        yield from _months(result, currency, len(currencies) > 1, width)
        for by in shown.by:
            yield from _groups(result, by, currency, len(currencies) > 1, width)
    yield from _foot(shown, width)


def _months(result: Forecast, currency: str, several: bool, width: int) -> Iterator[Text]:
    rows = month_rows(result)
    if not rows:
        return
    yield from heading(_in(fc.months_claim(result, currency), currency, several), width)
    scale = _scale(result.by_month, currency)
    cells = [_cells(fc.period_name(row.group.name), row.group, currency, scale) for row in rows]
    head, *lines = _table("Due", [*cells, _cells("All", result.total, currency, scale)], result, width)
    yield head
    for row, line in zip([*rows, None], lines, strict=True):
        if row is None or row.is_quarter:
            line.stylize("bold")
        yield line


def _groups(result: Forecast, by: str, currency: str, several: bool, width: int) -> Iterator[Text]:
    groups = result.by_segment if by == "segment" else result.by_owner
    if not groups:
        return
    yield from heading(_in(fc.groups_claim(groups, currency, by), currency, several), width)
    scale = _scale(groups, currency)
    rows = [_cells(shorten(fw.group_name(one.name), LONGEST_NAME), one, currency, scale) for one in groups[:MOST_GROUPS]]
    yield from _table(by.capitalize(), rows, result, width)
    if len(groups) > MOST_GROUPS:
        yield from paragraph(f"and {words.count(len(groups) - MOST_GROUPS)} more: --html, --json or --csv has them", width, QUIET)


def _in(claim: str, currency: str, several: bool) -> str:
    return f"{claim} ({currency or 'no stated currency'})" if several else claim


def _table(first: str, rows: Sequence[Sequence[str | Text]], result: Forecast, width: int) -> list[Text]:
    """Counts and ARR due; what is expected of them only where there is a forecast."""
    known = [Column(first, flexible=True), Column("Renewals", right=True), Column("ARR due", right=True)]
    if result.refused is not None:
        return table(known, [row[: len(known)] for row in rows], width)
    rates = [Column("", spare=True), Column("GRR", right=True), Column("NRR", right=True), Column("Churn", right=True, spare=True)]
    return table([*known, *rates], rows, width)


def _cells(name: str, group: GroupForecast, currency: str, scale: Scale) -> list[str | Text]:
    money, counted = fc.money_of(group, currency), words.count(group.renewals)
    if money is None:
        return [name, counted, "none stated", no_chart(scale), "-", "-", "-"]
    chart = whisker(fw.outer(money.grr), scale) if isinstance(money.grr, Predicted) else no_chart(scale)
    return [name, counted, _due(money), chart, _rate(money.grr), _rate(money.nrr), _churn(money)]


def _due(money: MoneyForecast) -> str:
    return fw.amount(fc.due_in_all(money), money.currency)


def _rate(value: object) -> str:
    return f"{fw.share(value)} {fw.share_interval(value)}" if isinstance(value, Predicted) else "no estimate"


def _churn(money: MoneyForecast) -> str:
    lost = money.churned
    return f"{fw.money(lost, money.currency)} {fw.money_interval(lost, money.currency)}" if isinstance(lost, Predicted) else "no estimate"


def _scale(groups: Sequence[GroupForecast], currency: str) -> Scale:
    around = rate_scale(groups, currency)
    return Scale(around.low, around.high, CHART_WIDTH, 1.0)


def _foot(shown: Shown, width: int) -> Iterator[Text]:
    """What is known already, what must be known, and where to look next."""
    result, proof = shown.result, shown.proof
    yield Text()
    yield from paragraph(_how_read(result), width, QUIET)
    for caution in result.cautions:
        yield from paragraph(caution.text, width, f"bold {CAUTION}" if caution.loud else QUIET, first="▲ " if caution.loud else "· ")
    for said in fc.facts_said(result):
        yield from paragraph(said, width, QUIET, first="· ")
    for note in proof.remarks:
        yield from paragraph(note, width, QUIET, first="· ")
    for said in (result.model_words, shown.model_why):
        yield from paragraph(f"model: {said}" if said else "", width, QUIET, first="· ")
    entry = f"book version {proof.book_version}, entry {proof.entry} of the ledger"
    seconds = f"{words.count(result.paths)} paths in {shown.seconds:,.1f} s"
    yield from paragraph(f"As of {words.day(result.as_of)}, {entry}; {seconds}.", width)
    yield from paragraph(f"How earlier forecasts came out: unspun forecast --record. To open the figures: unspun why {proof.entry}", width)
    for line in shown.written or ("The page: --html FOLDER; every number: --json FILE or --csv FILE.",):
        yield from paragraph(line, width)


def _how_read(result: Forecast) -> str:
    if result.refused is not None:
        return ""
    return "ARR due is what falls due; GRR and NRR are expected of it, churn is the ARR expected to go. 95 % intervals; upright: all kept."
