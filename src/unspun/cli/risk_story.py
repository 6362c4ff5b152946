"""The whole story of one renewal on a terminal: its risk, the reasons that add up to it, what became of such renewals, what was known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.text import Text

from unspun.cli import number_text as say
from unspun.cli.layout import BASE, CAUTION, CHURN, QUIET, RENEW, Column, Scale, heading, paragraph, table, whisker
from unspun.cli.terminal import shorten, wrap
from unspun.reports import risk_claims as rc
from unspun.reports import words
from unspun.risk.result import CANNOT_TELL, RenewalRisk, RiskCoverage, SimilarAccounts
from unspun.stats.estimate import Estimate, NoEstimate

LONGEST_LABEL = 34
BAR_WIDTH = 25
OUTCOME_STYLES = {"churn": CHURN, "contraction": CHURN, "flat": RENEW, "expansion": RENEW}  # lost, kept


def story_lines(one: RenewalRisk, earlier: rc.Earlier | None, meanings: Mapping[str, str], width: int) -> Iterator[Text]:
    """All that is told of a renewal, in lines of at most `width` cells."""
    yield from (Text(line, style="bold") for line in wrap(f"{one.name}, due {words.day(one.due)} ({rc.due_in(one)})", width))
    yield from paragraph(_facts(one), width, QUIET)
    yield Text()
    style = f"bold {CAUTION}" if one.cannot_tell else "bold"
    yield from paragraph(words.sentence(rc.renewal_claim(one)), width, style, first="◇ " if one.cannot_tell else "")
    yield from paragraph(_then(one, earlier), width)
    yield from _why_not(one, width)
    yield from _outcomes(one, width)
    yield from _waterfall(one, width)
    yield from _said(one, meanings, width)
    yield from _similar(one, width)
    yield from _coverage(one.coverage, width)


def _facts(one: RenewalRisk) -> str:
    """What is known of it without a model."""
    arr = "no ARR is known" if one.arr is None else f"ARR {words.money(one.arr, one.currency)}"
    owner = f"owner {one.owner}" if one.owner else ""
    known = [one.account if one.account != one.name else "", one.segment or "", owner, one.term, arr]
    status = "" if one.status == "open" else one.status
    return words.sentence("; ".join(part for part in (*known, status) if part))


def _then(one: RenewalRisk, earlier: rc.Earlier | None) -> str:
    """What is expected to be lost, and what was said before."""
    lost = f"{rc.money_range(one.expected_lost, one.currency)} is expected to be lost" if isinstance(one.expected_lost, Estimate) else ""
    return " ".join(words.sentence(part) for part in (lost, rc.was(one, earlier), rc.moved_because(one, earlier)) if part)


def _why_not(one: RenewalRisk, width: int) -> Iterator[Text]:
    """Why nothing is told, and what it would take."""
    if isinstance(one.churn, Estimate):
        return
    said = [one.why or CANNOT_TELL.get(one.cannot_tell, "")]
    said += [f"It would take: {one.churn.what_it_would_take}"] if one.churn.what_it_would_take else []
    yield from paragraph(" ".join(words.sentence(part) for part in said if part), width)


def _outcomes(one: RenewalRisk, width: int) -> Iterator[Text]:
    if not isinstance(one.churn, Estimate):
        return
    yield from heading("What it will come to, the four together 100 %", width)
    scale = Scale(0.0, 1.0, BAR_WIDTH)
    rows: list[list[str | Text]] = [
        [rc.OUTCOME_WORDS[name], say.share(value), whisker(value, scale, OUTCOME_STYLES[name]) if isinstance(value, Estimate) else ""]
        for name, value in one.probabilities.items()
    ]
    yield from table([Column(""), Column("probability"), Column("")], rows, width)[1:]


def _waterfall(one: RenewalRisk, width: int) -> Iterator[Text]:
    """Reasons as bars that add up from the typical renewal to this one."""
    steps = rc.steps_of(one)
    if not steps or not isinstance(one.churn, Estimate) or one.typical is None:
        return
    yield from heading(rc.waterfall_claim(one), width)
    yield from paragraph("Points of probability with 95 % intervals, which add up exactly; at the right the risk after each.", width, QUIET)
    ends = [one.typical, one.churn.high, *(step.after for step in steps)]
    scale = Scale(min(0.0, *ends), min(1.0, max(ends) * 1.05), BAR_WIDTH)
    columns = [
        Column("reason"),
        Column("", flexible=True),
        Column("points", right=True),
        Column("", spare=True),
        Column("then", right=True),
    ]
    rows: list[list[str | Text]] = [["A typical renewal", _mark(one.typical, scale), "", "", words.percent(one.typical, 1)]]
    rows += [_step_cells(step, scale) for step in steps]
    rows.append([Text("This renewal", style="bold"), whisker(one.churn, scale), "", "", words.percent(one.churn.point, 1)])
    yield from table(columns, rows, width)


def _said(one: RenewalRisk, meanings: Mapping[str, str], width: int) -> Iterator[Text]:
    """Each reason as a sentence, and what the metric is."""
    for reason in one.reasons:
        meaning = meanings.get(reason.feature, "")
        told = " ".join(words.sentence(text) for text in (reason.sentence, meaning) if text)
        yield from paragraph(told, width, QUIET, first="· ")


def _step_cells(step: rc.Step, scale: Scale) -> list[str | Text]:
    interval = "" if step.low is None or step.high is None else rc.ends_of(step.low, step.high)
    style = BASE if step.low is None else CHURN if step.raises else RENEW
    return [shorten(step.label, LONGEST_LABEL), _bar(step, scale, style), rc.points(step.points), interval, words.percent(step.after, 1)]


def _mark(value: float, scale: Scale) -> Text:
    return Text(f"{' ' * scale.cell(value)}○", style=BASE)


def _bar(step: rc.Step, scale: Scale, style: str) -> Text:
    """A heavy line from where the step before ended to where this one does."""
    first, last = sorted((scale.cell(step.before), scale.cell(step.after)))
    return Text(f"{' ' * first}{'━' * max(1, last - first)}", style=style)


def _similar(one: RenewalRisk, width: int) -> Iterator[Text]:
    """What became of the past renewals that were most like it."""
    found = one.similar
    if isinstance(found, NoEstimate):
        return
    yield from heading(rc.similar_claim(found), width)
    yield from paragraph(words.sentence(rc.capital(found.told)), width, QUIET)
    yield from paragraph(_became(found), width)


def _became(found: SimilarAccounts) -> str:
    parts = [f"{rc.OUTCOME_DONE[name]} {say.share(value)}" for name, value in found.outcomes.items()]
    return words.sentence("; ".join(parts))


def _coverage(found: RiskCoverage, width: int) -> Iterator[Text]:
    """How much was known, why the rest is missing, and which values are old."""
    yield from heading(rc.coverage_claim(found), width)
    missing = "; ".join(f"{label}: {why}" for label, why in found.missing)
    stale = "; ".join(f"{label}: {rc.counted(days, 'day')} old" for label, days in found.stale)
    yield from paragraph(f"Missing, and not filled in: {words.sentence(missing)}" if missing else "", width, first="· ")
    yield from paragraph(f"From before an outage, and marked: {words.sentence(stale)}" if stale else "", width, first="· ")
