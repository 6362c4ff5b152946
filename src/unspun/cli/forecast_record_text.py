"""The record of forecasters on a terminal: who was nearer, two by two, who was too hopeful, whether the intervals held."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.text import Text

from unspun.cli.layout import BASE, CAUTION, QUIET, SCORE, SECOND, Column, Scale, heading, no_chart, paragraph, table, whisker
from unspun.cli.number_text import full_reason
from unspun.cli.terminal import shorten, wrap
from unspun.reports import forecast_record_claims as rc
from unspun.reports import marks, words
from unspun.reports.forecast_html import Proof
from unspun.reports.forecast_record_html import DIFFERENCE, POINTS, estimate_scale, pair_estimates, score_scale
from unspun.risk.forecast.result import ForecasterRecord, ForecastRecord, LeadRecord
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

CHART_WIDTH = 15
LONGEST_NAME = 26
KEPT_LEADS = (90, 30)  # days, also on a narrow terminal
MOST_PAIRS, MOST_MISSES = 10, 5
STYLES = {"score": SCORE, "second": SECOND, "base": BASE}


@dataclass(frozen=True, slots=True)
class Shown:
    """What the terminal shows of a record; `made` are the entries of the forecasts replayed for it."""

    result: ForecastRecord
    proof: Proof
    made: tuple[int, ...]
    seconds: float
    written: tuple[str, ...]


def record_lines(shown: Shown, width: int) -> Iterator[Text]:
    """The whole summary, in lines of at most `width` cells."""
    record, days = shown.result, rc.primary_lead(shown.result)
    yield from (Text(line, style="bold") for line in wrap(words.sentence(rc.headline(record)), width))
    yield from paragraph(words.sentence(rc.judged_on(record)), width)
    if days is not None:
        yield from paragraph(words.sentence(told) if (told := rc.against_base(record, days)) else "", width)
        yield from _forecasters(record, days, width)
        yield from _pairs(record, days, width)
        yield from _leads(record, width)
    yield from _coverage(record, width)
    yield from _misses(record, width)
    yield from _foot(shown, width)


def _forecasters(record: ForecastRecord, days: int, width: int) -> Iterator[Text]:
    yield from heading(rc.bias_claim(record, days), width)
    yield from paragraph(f"{days} days ahead; said and came: mean probability of churn, and the share that churned", width, QUIET)
    scale = _scale(score_scale(record.forecasters, [days], "brier"))
    held = [(one, lead) for one in record.forecasters if (lead := rc.lead_of(one, days)) is not None]
    columns = [Column("Forecaster", flexible=True), Column("n", right=True), Column("Of", right=True, spare=True)]
    columns += [Column("Said / came", right=True), Column("", spare=True), Column("Brier score", right=True)]
    columns.append(Column("Bias, points", right=True, spare=True))
    yield from table(columns, [_cells(one, lead, scale) for one, lead in held], width)
    yield from _why(held, width)


def _cells(one: ForecasterRecord, lead: LeadRecord, scale: Scale) -> list[str | Text]:
    said = "words" if lead.stated is None else words.percent(lead.stated)
    came = words.percent(lead.n_churned / lead.n) if lead.n else "-"
    known = isinstance(lead.brier, Estimate)
    chart = whisker(lead.brier, scale, STYLES[rc.SHAPES[one.kind]]) if isinstance(lead.brier, Estimate) else no_chart(scale)
    bias = words.estimated(rc.in_points(lead.bias), POINTS) if isinstance(lead.bias, Estimate) else "-"
    spoke = [words.count(lead.n), words.count(lead.eligible)]
    return [shorten(one.name, LONGEST_NAME), *spoke, f"{said} / {came}", chart, _told(lead.brier, words.BRIER), bias if known else ""]


def _why(held: Sequence[tuple[ForecasterRecord, LeadRecord]], width: int) -> Iterator[Text]:
    """Why no score can be told, each reason once."""
    reasons: dict[str, list[str]] = {}
    for one, lead in held:
        if isinstance(lead.brier, NoEstimate):
            reasons.setdefault(full_reason(lead.brier), []).append(one.name)
    for reason, who in reasons.items():
        yield from paragraph(f"cannot tell of {words.listed(who)}: {reason}", width, QUIET, first="· ")


def _pairs(record: ForecastRecord, days: int, width: int) -> Iterator[Text]:
    pairs = rc.pairs_at(record, days)
    known = [one for one in pairs if isinstance(one.brier, Estimate)]
    if not known:
        return
    yield from heading(rc.pairs_claim(record, days), width)
    yield from paragraph("Difference of Brier scores on the renewals both spoke of; below 0 the first is nearer", width, QUIET)
    scale = _scale(estimate_scale(pair_estimates(known), 0.0), 0.0)
    rows = [
        [
            f"{shorten(one.first, LONGEST_NAME)} and {shorten(one.second, LONGEST_NAME)}",
            words.count(one.n),
            whisker(one.brier, scale) if isinstance(one.brier, Estimate) else no_chart(scale),
            _told(one.brier, DIFFERENCE),
            one.words,
        ]
        for one in known[:MOST_PAIRS]
    ]
    columns = [Column("Both", flexible=True), Column("n", right=True), Column("", spare=True), Column("Difference", right=True)]
    yield from table([*columns, Column("So", spare=True)], rows, width)


def _leads(record: ForecastRecord, width: int) -> Iterator[Text]:
    leads = rc.leads_of(record)
    if len(leads) < 2:
        return
    yield from heading("Brier score by days ahead", width)
    columns = [Column("Forecaster", flexible=True), *(Column(f"{days} days", right=True, spare=days not in KEPT_LEADS) for days in leads)]
    yield from table(
        columns, [[shorten(one.name, LONGEST_NAME), *(_brier(one, days) for days in leads)] for one in record.forecasters], width
    )


def _brier(one: ForecasterRecord, days: int) -> str:
    lead = rc.lead_of(one, days)
    return "-" if lead is None or not lead.n else _told(lead.brier, words.BRIER)


def _coverage(record: ForecastRecord, width: int) -> Iterator[Text]:
    if not record.coverage:
        return
    yield from heading(rc.coverage_claim(record), width)
    rows = [
        [
            f"{rc.quantity(one)}{', replayed' if one.replayed else ''}",
            words.count(one.n),
            words.count(one.periods),
            _within(one.in_80),
            _within(one.in_95),
        ]
        for one in record.coverage
    ]
    titles = [Column("Quantity", flexible=True), *(Column(title, right=True) for title in ("Outcomes", "Quarters", "In 80 %", "In 95 %"))]
    yield from table(titles, rows, width)


def _within(value: MaybeEstimate) -> str:
    return _told(value, words.SHARE)


def _misses(record: ForecastRecord, width: int) -> Iterator[Text]:
    if not record.misses:
        return
    yield from heading(rc.missed_claim(record.misses), width)
    for one in record.misses[:MOST_MISSES]:
        said = "; ".join(f"{name} {words.percent(p)}" for name, p in one.stated.items()) or "nobody said anything"
        came = "churned" if one.churned else "stayed"
        arr = f", {words.money(float(one.arr), one.currency or None)}" if one.arr is not None else ""
        yield from paragraph(f"{one.account}, due {words.day(one.due)}{arr}: {came}; churn said: {said}", width, first="· ")
    if len(record.misses) > MOST_MISSES:
        yield from paragraph(f"and {words.count(len(record.misses) - MOST_MISSES)} more: --html or --json has them", width, QUIET)


def _foot(shown: Shown, width: int) -> Iterator[Text]:
    record, proof = shown.result, shown.proof
    yield Text()
    for caution in record.cautions:
        yield from paragraph(caution.text, width, f"bold {CAUTION}" if caution.loud else QUIET, first="▲ " if caution.loud else "· ")
    for note in proof.remarks:
        yield from paragraph(note, width, QUIET, first="· ")
    if shown.made:
        said = (
            f"{words.count(len(shown.made))} forecasts were replayed with what was known then: entries {shown.made[0]} to {shown.made[-1]}"
        )
        yield from paragraph(words.sentence(said), width)
    entry = f"book version {proof.book_version}, entry {proof.entry} of the ledger"
    yield from paragraph(f"As of {words.day(record.as_of)}, {entry}; in {shown.seconds:,.1f} s.", width)
    yield from paragraph(f"To open the figures: unspun why {proof.entry}", width)
    for line in shown.written or ("The page: --html FOLDER; every number: --json FILE or --csv FILE.",):
        yield from paragraph(line, width)


def _told(value: MaybeEstimate, style: words.Style) -> str:
    return words.estimated(value, style) if isinstance(value, Estimate) else "cannot tell"


def _scale(around: marks.Scale, reference: float | None = None) -> Scale:
    return Scale(around.low, around.high, CHART_WIDTH, reference)
